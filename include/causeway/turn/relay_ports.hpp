// SPDX-License-Identifier: Apache-2.0
// The ports of relayed transport addresses: the socket calls as an interface that the edge implements, and the choice
// of a port as plain code. Binding never blocks, so an Allocate is one step and a failing bind is an honest 508.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/random.hpp"
#include "causeway/base/result.hpp"

namespace causeway::turn {

// A relayed transport address of this server. The generation tells a closed relay from a later one in the same slot.
struct RelayId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend constexpr bool operator==(const RelayId&, const RelayId&) noexcept = default;
};

enum class RelayOpenError : std::uint8_t {
  kPortInUse,            // by another program: another port may do
  kAddressNotAvailable,  // the address is not one of this machine: no port of it will do
  kNoResources,          // no descriptors or memory
  kNoPortFree            // of the range, as wished: PortPool says so, without a call
};
inline constexpr std::size_t kRelayOpenErrors = 4;

class RelayPorts {
 public:
  virtual ~RelayPorts() = default;
  // Opens a UDP socket bound to exactly this address and port; nullopt when that worked.
  virtual std::optional<RelayOpenError> open(RelayId id, const Endpoint& local) = 0;
  virtual void close(RelayId id) noexcept = 0;
};

enum class PortParity : std::uint8_t { kAny, kEven };

// Gives out the ports of one range, which several servers may share.
class RelayPortPool {
 public:
  virtual ~RelayPortPool() = default;
  // Opens the relays on as many ports of `local` in a row that are free at `advertised`, all or none, marks these as
  // used and returns the first. `parity` is that of the first.
  virtual Result<std::uint16_t, RelayOpenError> open(RelayPorts& ports, std::span<const RelayId> relays,
                                                     const IpAddress& local, const IpAddress& advertised,
                                                     PortParity parity, RandomSource& random) = 0;
  virtual void release(const Endpoint& advertised) noexcept = 0;
  virtual bool is_in_use(const IpAddress& advertised) const noexcept = 0;
};

// Which ports of the range are in use, per advertised address, so that no two relays are ever advertised alike, and the
// choice of a free one by a CSPRNG (RFC 8656 §7.2: ports should be hard to predict). Never loops longer than
// kOpenAttemptsMax socket calls. Remembers an address only while one of its ports is in use.
class PortPool final : public RelayPortPool {
 public:
  static constexpr int kOpenAttemptsMax = 16;

  PortPool(std::uint16_t port_min, std::uint16_t port_max);  // port_min <= port_max

  Result<std::uint16_t, RelayOpenError> open(RelayPorts& ports, std::span<const RelayId> relays, const IpAddress& local,
                                             const IpAddress& advertised, PortParity parity,
                                             RandomSource& random) override;
  void release(const Endpoint& advertised) noexcept override;
  bool is_in_use(const IpAddress& advertised) const noexcept override { return by_address_.contains(advertised); }
  std::size_t addresses() const noexcept { return by_address_.size(); }

 private:
  struct AddressPorts {
    std::vector<bool> used;
    std::uint32_t used_count = 0;
  };
  std::optional<std::uint32_t> choose(const std::vector<bool>& used, std::size_t count, PortParity parity,
                                      RandomSource& random) const;
  Result<std::uint32_t, RelayOpenError> open_at_free(RelayPorts& ports, std::span<const RelayId> relays,
                                                     const IpAddress& local, const std::vector<bool>& used,
                                                     PortParity parity, RandomSource& random) const;
  static std::optional<RelayOpenError> try_open(RelayPorts& ports, std::span<const RelayId> relays,
                                                const Endpoint& first);

  std::uint16_t port_min_;
  std::uint32_t ports_;  // in the range
  boost::unordered_flat_map<IpAddress, AddressPorts, IpAddressHash> by_address_;
};

}  // namespace causeway::turn
