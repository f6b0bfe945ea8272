// SPDX-License-Identifier: Apache-2.0
// Limits that all clients share: which newcomers get a place, and which sessions are closed to make room.
#include <algorithm>
#include <utility>

#include "causeway/base/fair_share.hpp"
#include "causeway/signaling/hub.hpp"

namespace causeway::signaling {

bool Hub::is_at_limit(const SourceCounts& counts, const IpAddress& address) const {
  if (options_.sessions_per_address == 0) return false;
  if (address.is_loopback() && !options_.limits_loopback) return false;
  return counts.of(address) >= options_.sessions_per_address;
}

std::size_t Hub::charged(const SourceCounts& counts, const IpAddress& address) const {
  return address.is_loopback() && !options_.limits_loopback ? 0 : counts.of_site(address);
}

// Nobody's call is ended for a newcomer. Who has only connected makes way, if its network has more such sessions than
// the newcomer's has sessions.
bool Hub::has_place_for(const IpAddress& newcomer, Deliveries& out) {
  const std::size_t held = charged(sessions_by_address_, newcomer);
  if (may_take_place(held, sessions_.size(), options_.sessions_max)) return true;
  if (roomless_sessions_.amount_of_largest() <= held) return false;
  auto& oldest = static_cast<Session&>(*roomless_sessions_.oldest_of_largest());
  refuse(oldest.id, false, error_of(ErrorCode::kServerFull, {}), out);
  forget(oldest);
  return true;
}

// A network that knocks twice makes way for one that would knock for the first time, and so on.
bool Hub::make_way_in(const Room& room, const IpAddress& visitor, Deliveries& out) {
  const auto waiting_of = [&](const IpAddress& network) {
    return std::ranges::count_if(room.visitors, [&](const Visitor& other) {
      return site_network(sessions_.at(other.session).address) == network;
    });
  };
  Session* last_of_largest = nullptr;
  auto largest = waiting_of(site_network(visitor)) + 1;
  for (const Visitor& other : room.visitors) {
    Session& session = sessions_.at(other.session);
    const auto waiting = waiting_of(site_network(session.address));
    if (waiting < largest || (waiting == largest && last_of_largest == nullptr)) continue;
    largest = waiting;
    last_of_largest = &session;
  }
  if (last_of_largest == nullptr) return false;
  turn_away(*last_of_largest, KnockEnd::kDenied, ErrorCode::kRoomFull, out);
  return true;
}

}  // namespace causeway::signaling
