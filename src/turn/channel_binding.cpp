// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/channel_binding.hpp"

#include <algorithm>

namespace causeway::turn {

bool ChannelTable::may_bind(std::uint16_t number, const Endpoint& peer) const noexcept {
  const auto bound = by_number_.find(number);
  if (bound != by_number_.end()) return bound->second.peer == peer;
  return !by_peer_.contains(peer);
}

void ChannelTable::bind(std::uint16_t number, const Endpoint& peer, TimePoint expires_at) {
  by_number_.insert_or_assign(number, Binding{peer, expires_at});
  by_peer_.insert_or_assign(peer, number);
}

const Endpoint* ChannelTable::peer_of(std::uint16_t number, TimePoint now) const noexcept {
  const auto found = by_number_.find(number);
  return found != by_number_.end() && found->second.expires_at > now ? &found->second.peer : nullptr;
}

std::optional<std::uint16_t> ChannelTable::number_of(const Endpoint& peer, TimePoint now) const noexcept {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end() || !peer_of(found->second, now)) return std::nullopt;
  return found->second;
}

void ChannelTable::end(AddressFamily family, TimePoint now) noexcept {
  for (auto& [number, binding] : by_number_) {
    if (binding.peer.address.family() == family) binding.expires_at = std::min(binding.expires_at, now);
  }
}

std::optional<TimePoint> ChannelTable::expire(TimePoint now) {
  std::optional<TimePoint> next;
  for (auto it = by_number_.begin(); it != by_number_.end();) {
    const TimePoint free_at = it->second.expires_at + kCoolDown;
    if (free_at <= now) {
      by_peer_.erase(it->second.peer);
      by_number_.erase(it++);
      continue;
    }
    if (!next || free_at < *next) next = free_at;
    ++it;
  }
  return next;
}

}  // namespace causeway::turn
