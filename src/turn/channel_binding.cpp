// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/channel_binding.hpp"

#include <algorithm>

namespace causeway::turn {

bool ChannelTable::may_bind(std::uint16_t number, const Endpoint& peer) const noexcept {
  const Binding* bound = by_number_.find(bindings_, number);
  return bound != nullptr ? bound->peer == peer : by_peer_.find(bindings_, peer) == nullptr;
}

void ChannelTable::bind(std::uint16_t number, const Endpoint& peer, TimePoint expires_at) {
  if (const Binding* bound = by_number_.find(bindings_, number)) {
    bindings_[static_cast<std::size_t>(bound - bindings_.data())].expires_at = expires_at;
    return;
  }
  bindings_.push_back({peer, number, expires_at});
  by_number_.on_added(bindings_);
  by_peer_.on_added(bindings_);
}

const Endpoint* ChannelTable::peer_of(std::uint16_t number, TimePoint now) const noexcept {
  const Binding* bound = by_number_.find(bindings_, number);
  return bound != nullptr && bound->expires_at > now ? &bound->peer : nullptr;
}

std::optional<std::uint16_t> ChannelTable::number_of(const Endpoint& peer, TimePoint now) const noexcept {
  const Binding* bound = by_peer_.find(bindings_, peer);
  if (bound == nullptr || bound->expires_at <= now) return std::nullopt;
  return bound->number;
}

void ChannelTable::end(AddressFamily family, TimePoint now) noexcept {
  for (Binding& binding : bindings_) {
    if (binding.peer.address.family() == family) binding.expires_at = std::min(binding.expires_at, now);
  }
}

std::optional<TimePoint> ChannelTable::expire(TimePoint now) {
  const auto is_cool = [now](const Binding& binding) { return binding.expires_at + kCoolDown <= now; };
  const auto kept = std::remove_if(bindings_.begin(), bindings_.end(), is_cool);
  if (kept != bindings_.end()) {
    bindings_.erase(kept, bindings_.end());
    by_number_.on_removed(bindings_);
    by_peer_.on_removed(bindings_);
  }
  std::optional<TimePoint> next;
  for (const Binding& binding : bindings_) {
    const TimePoint free_at = binding.expires_at + kCoolDown;
    if (!next || free_at < *next) next = free_at;
  }
  return next;
}

}  // namespace causeway::turn
