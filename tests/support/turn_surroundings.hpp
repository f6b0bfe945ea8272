// SPDX-License-Identifier: Apache-2.0
// What a turn::Server needs of its surroundings, scripted: packets, randomness, relay ports and events. Packets lie in
// buffers exactly as large as the server may touch, so that a sanitizer sees each octet beyond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "causeway/turn/server.hpp"

namespace causeway::test {

using Octets = std::vector<std::uint8_t>;

inline Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}
inline Octets octets_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// What a packet may touch: headroom, the packet, tailroom, and nothing beyond.
class PacketBuffer {
 public:
  explicit PacketBuffer(Bytes bytes);
  MutableBytes bytes() { return MutableBytes{octets_}.subspan(turn::Server::kHeadroomBytes, size_); }
  bool holds(Bytes bytes) const;

 private:
  std::size_t size_;
  Octets octets_;
};

// Scripted values first, then a fixed pseudo-random sequence (SplitMix64).
class ScriptedRandom : public RandomSource {
 public:
  std::deque<std::uint64_t> scripted;

  void fill(MutableBytes out) override;

 private:
  std::uint64_t next_value();

  std::uint64_t state_ = 0;
};

// Records what is opened and closed; call number n (from 0) fails with fail_at[n].
class ScriptedRelayPorts : public turn::RelayPorts {
 public:
  std::map<std::size_t, turn::RelayOpenError> fail_at;
  std::set<Endpoint> taken_by_others;
  std::vector<Endpoint> tried;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Endpoint> open_relays;

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override;
  void close(turn::RelayId id) noexcept override;
  std::optional<turn::RelayId> relay_at(const Endpoint& local) const;
};

// The same for TCP relays, with the connections that the server has ended.
class ScriptedTcpRelayPorts : public turn::TcpRelayPorts {
 public:
  ScriptedRelayPorts listeners;
  std::vector<turn::ConnectionId> closed;

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override;
  void close(turn::RelayId id) noexcept override { listeners.close(id); }
  void close_connection(turn::ConnectionId id) noexcept override { closed.push_back(id); }
};

class RecordingEvents : public turn::Events {
 public:
  struct Ended {
    std::string user;
    turn::EndReason reason;
    std::uint64_t packets_from_client;
    std::uint64_t packets_from_peers;
  };
  std::vector<std::string> created;
  std::vector<Endpoint> moves;
  std::vector<Ended> ended;
  std::vector<std::pair<stun::ErrorCode, std::string>> refused;

  void on_allocation_created(const turn::Allocation& allocation) override;
  void on_allocation_moving(const turn::Allocation&, const turn::FiveTuple& to) override;
  void on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now) override;
  void on_request_refused(const turn::FiveTuple&, stun::Method, stun::ErrorCode code,
                          std::string_view username) override;
};

}  // namespace causeway::test
