// SPDX-License-Identifier: Apache-2.0
// What the TURN servers of all workers keep together: the relay ports, the quotas, and where each relay is. Any thread
// may use it at any time. Locks are taken when an allocation is made, is permitted a peer or ends, and never for data.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "causeway/base/random.hpp"
#include "causeway/turn/siblings.hpp"

namespace causeway::net {

class SharedPorts final : public turn::RelayPortPool {
 public:
  SharedPorts(std::uint16_t port_min, std::uint16_t port_max) : pool_(port_min, port_max) {}

  Result<std::uint16_t, turn::RelayOpenError> open(turn::RelayPorts& ports, std::span<const turn::RelayId> relays,
                                                   const IpAddress& local, const IpAddress& advertised,
                                                   turn::PortParity parity, RandomSource& random) override;
  void release(const Endpoint& advertised) noexcept override;
  bool is_in_use(const IpAddress& advertised) const noexcept override;

 private:
  mutable std::mutex mutex_;
  turn::PortPool pool_;
};

class SharedQuota final : public turn::QuotaLedger {
 public:
  SharedQuota(std::size_t realms, std::uint64_t hash_seed) : quota_(realms, hash_seed) {}

  std::optional<turn::QuotaError> take(turn::RealmIndex realm, std::string_view user, const IpAddress& source,
                                       const turn::QuotaLimits& limits) override;
  void give_back(turn::RealmIndex realm, std::string_view user, const IpAddress& source) noexcept override;
  std::uint32_t total() const noexcept;

 private:
  mutable std::mutex mutex_;
  turn::Quota quota_;
};

class SharedRelays final : public turn::RelayDirectory {
 public:
  // Of UDP relays at more addresses than these the other workers do not know: data between two of them is dropped.
  static constexpr std::size_t kAddressesMax = 256;

  void add(turn::WorkerIndex worker, const turn::Relay& relay) override;
  void remove(const turn::Relay& relay) noexcept override;
  std::optional<turn::WorkerIndex> worker_of(const Endpoint& relay) const noexcept override;
  std::optional<turn::Relay> find_tcp(const Endpoint& relay) const override;

 private:
  // One octet for each port: 0, or the index of the relay's worker and one. Readers take no lock.
  struct Address {
    IpAddress address;
    std::array<std::atomic<std::uint8_t>, 65536> workers{};
  };
  std::atomic<std::uint8_t>* find_udp(const Endpoint& relay) const noexcept;
  void set_udp(const Endpoint& relay, std::uint8_t value);

  mutable std::mutex mutex_;  // of what is written
  std::array<std::unique_ptr<Address>, kAddressesMax> addresses_;
  std::atomic<std::size_t> addresses_used_{0};  // these are complete and stay where they are
  std::unordered_map<Endpoint, turn::Relay, EndpointHash> tcp_relays_;
};

class WorkerLedger {
 public:
  WorkerLedger(std::uint16_t port_min, std::uint16_t port_max, std::size_t realms, RandomSource& random)
      : ports_(port_min, port_max), allocations_(realms, random.next()), connections_(realms, random.next()) {
    random.fill(ticket_key_);
  }

  // Refers to this.
  turn::Siblings place_of(turn::WorkerIndex index, std::size_t count) {
    return {index, count, ports_, allocations_, connections_, relays_, ticket_key_};
  }
  std::uint32_t allocations() const noexcept { return allocations_.total(); }  // with reserved relays

 private:
  SharedPorts ports_;
  SharedQuota allocations_;
  SharedQuota connections_;
  SharedRelays relays_;
  stun::SealKey ticket_key_{};
};

}  // namespace causeway::net
