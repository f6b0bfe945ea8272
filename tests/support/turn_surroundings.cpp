// SPDX-License-Identifier: Apache-2.0
#include "turn_surroundings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "turn_printing.hpp"

namespace causeway::test {

PacketBuffer::PacketBuffer(Bytes bytes)
    : size_(bytes.size()), octets_(turn::Server::kHeadroomBytes + bytes.size() + turn::Server::kTailroomBytes, 0xA5) {
  std::copy(bytes.begin(), bytes.end(), octets_.begin() + turn::Server::kHeadroomBytes);
}

bool PacketBuffer::holds(Bytes bytes) const {
  return bytes.empty() ||
         (bytes.data() >= octets_.data() && bytes.data() + bytes.size() <= octets_.data() + octets_.size());
}

void ScriptedRandom::fill(MutableBytes out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    const std::uint64_t value = next_value();
    for (std::size_t j = i; j < std::min(i + 8, out.size()); ++j)
      out[j] = static_cast<std::uint8_t>(value >> (56 - 8 * (j - i)));
  }
}

std::uint64_t ScriptedRandom::next_value() {
  if (!scripted.empty()) {
    const std::uint64_t value = scripted.front();
    scripted.pop_front();
    return value;
  }
  state_ += 0x9E3779B97F4A7C15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::optional<turn::RelayOpenError> ScriptedRelayPorts::open(turn::RelayId id, const Endpoint& local) {
  const std::size_t call = tried.size();
  tried.push_back(local);
  if (const auto failure = fail_at.find(call); failure != fail_at.end()) return failure->second;
  if (taken_by_others.contains(local)) return turn::RelayOpenError::kPortInUse;
  for (const auto& [other, endpoint] : open_relays)
    EXPECT_NE(endpoint, local) << "two relays on one port";
  EXPECT_TRUE(open_relays.emplace(std::pair{id.slot, id.generation}, local).second) << "one relay opened twice";
  return std::nullopt;
}

void ScriptedRelayPorts::close(turn::RelayId id) noexcept {
  EXPECT_EQ(open_relays.erase({id.slot, id.generation}), 1u) << "closed a relay that is not open";
}

std::optional<turn::RelayId> ScriptedRelayPorts::relay_at(const Endpoint& local) const {
  for (const auto& [id, endpoint] : open_relays)
    if (endpoint == local) return turn::RelayId{id.first, id.second};
  return std::nullopt;
}

std::optional<turn::RelayOpenError> ScriptedTcpRelayPorts::open(turn::RelayId id, const Endpoint& local) {
  return listeners.open(id, local);
}

void RecordingEvents::on_allocation_created(const turn::Allocation& allocation) {
  created.push_back(allocation.user);
}

void RecordingEvents::on_allocation_moving(const turn::Allocation&, const turn::FiveTuple& to) {
  moves.push_back(to.client);
}

void RecordingEvents::on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now) {
  ended.push_back({allocation.user, reason, allocation.from_client.packets, allocation.from_peers.packets});
}

void RecordingEvents::on_request_refused(const turn::FiveTuple&, stun::Method, stun::ErrorCode code,
                                         std::string_view username) {
  refused.emplace_back(code, username);
}

}  // namespace causeway::test
