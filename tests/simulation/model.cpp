// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <algorithm>

namespace causeway::simulation {

using namespace std::chrono_literals;

namespace {

constexpr auto kChannelCoolDown = 300s;  // RFC 8656 §12

}  // namespace

bool Model::Allocation::is_of(const turn::FiveTuple& five_tuple) const {
  const bool is_away = mobility && mobility->is_away;
  return (!is_away && client.five_tuple == five_tuple) ||
         (mobility && mobility->next && mobility->next->five_tuple == five_tuple);
}

void Model::Allocation::note_arrival(const turn::FiveTuple& five_tuple) {
  if (!mobility || !mobility->next || mobility->next->five_tuple != five_tuple) return;
  client = *mobility->next;
  mobility->next.reset();
}

TimePoint Model::Allocation::ends_at() const {
  TimePoint end = TimePoint::min();
  for (const auto& [family, relay] : relays)
    end = std::max(end, relay.expires_at);
  return end;
}

const Model::Relay* Model::Allocation::relay_for(const IpAddress& peer) const {
  const auto found = relays.find(peer.family());
  return found == relays.end() ? nullptr : &found->second;
}

void Model::Allocation::forget_relay(AddressFamily family, TimePoint when) {
  relays.erase(family);
  std::erase_if(permissions, [family](const auto& entry) { return entry.first.family() == family; });
  for (auto& [number, channel] : channels)
    if (channel.peer.address.family() == family) channel.expires_at = std::min(channel.expires_at, when);
}

bool Model::Allocation::permits(const IpAddress& peer, TimePoint now) const {
  const auto found = permissions.find(peer);
  return found != permissions.end() && found->second > now;
}

std::optional<std::uint16_t> Model::Allocation::channel_to(const Endpoint& peer, TimePoint now) const {
  for (const auto& [number, channel] : channels)
    if (channel.peer == peer && channel.expires_at > now) return number;
  return std::nullopt;
}

void Model::forget_what_is_over(TimePoint now) {
  std::erase_if(allocations_, [now](const Allocation& entry) { return entry.ends_at() <= now; });
  std::erase_if(reservations_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  for (Allocation& allocation : allocations_) {
    for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
      const auto relay = allocation.relays.find(family);
      if (relay != allocation.relays.end() && relay->second.expires_at <= now) {
        allocation.forget_relay(family, relay->second.expires_at);
      }
    }
    std::erase_if(allocation.permissions, [now](const auto& entry) { return entry.second <= now; });
    std::erase_if(allocation.channels,
                  [now](const auto& entry) { return entry.second.expires_at + kChannelCoolDown <= now; });
  }
}

Model::Allocation* Model::find(const turn::FiveTuple& client) {
  for (Allocation& allocation : allocations_)
    if (allocation.is_of(client)) return &allocation;
  return nullptr;
}

void Model::erase(const Allocation& allocation) {
  allocations_.remove_if([&allocation](const Allocation& entry) { return &entry == &allocation; });
}

Model::Allocation* Model::find_relayed(const Endpoint& relayed) {
  for (Allocation& allocation : allocations_) {
    const Relay* relay = allocation.relay_for(relayed.address);
    if (relay != nullptr && relay->relayed == relayed) return &allocation;
  }
  return nullptr;
}

bool Model::is_relayed_address(const IpAddress& address) const {
  return std::any_of(rules_.relay_addresses.begin(), rules_.relay_addresses.end(),
                     [&address](const auto& entry) { return entry.second == address; });
}

bool Model::is_denied(const IpAddress& peer) const {
  return std::any_of(rules_.denied.begin(), rules_.denied.end(),
                     [&peer](const Prefix& prefix) { return prefix.contains(peer); });
}

// An IPv6 customer has a /64.
IpAddress Model::source_of(const IpAddress& client) {
  return client.is_v4() ? client : Prefix{client, 64}.address();
}

template <class Matches>
std::uint32_t Model::held_where(Matches matches) const {
  const auto reservations = std::count_if(reservations_.begin(), reservations_.end(),
                                          [&matches](const auto& entry) { return matches(entry.second); });
  return static_cast<std::uint32_t>(std::count_if(allocations_.begin(), allocations_.end(), matches) + reservations);
}

std::uint32_t Model::held_by(const std::string& user) const {
  return held_where([&user](const auto& holder) { return holder.user == user; });
}

std::uint32_t Model::held_from(const IpAddress& source) const {
  return held_where([&source](const auto& holder) { return holder.source == source; });
}

bool Model::ports_suffice(const IpAddress& address, bool even, bool pair) const {
  const auto is_free = [this, &address](std::uint32_t port) {
    const Endpoint relayed{address, static_cast<std::uint16_t>(port)};
    const auto is_it = [&relayed](const auto& entry) { return entry.second == relayed; };
    return port <= rules_.port_max && std::none_of(sockets_.begin(), sockets_.end(), is_it);
  };
  for (std::uint32_t port = rules_.port_min; port <= rules_.port_max; ++port) {
    if (even && port % 2 != 0) continue;
    if (is_free(port) && (!pair || is_free(port + 1))) return true;
  }
  return false;
}

void Model::on_client_packet(const turn::ClientRef& from, Bytes packet, const turn::Outcome& outcome, Now now) {
  forget_what_is_over(now.steady);
  const bool is_channel_data = !packet.empty() && packet.front() >= 0x40 && packet.front() <= 0x7F;
  if (is_channel_data) {
    on_channel_data(from, packet, outcome, now);
  } else if (const auto message = stun::MessageView::parse(packet)) {
    on_message(from, *message, outcome, now);
  } else {
    expect_drop(outcome, "the packet is neither STUN nor ChannelData");
  }
  open_failed_ = false;
}

void Model::on_client_gone(const turn::FiveTuple& client) {
  Allocation* allocation = find(client);
  if (allocation == nullptr) return;
  if (!allocation->mobility) return erase(*allocation);
  auto& [ticket, spent, transaction, next, is_away] = *allocation->mobility;
  if (!next) {
    is_away = true;
  } else if (next->five_tuple == client) {
    next.reset();
  } else {
    allocation->note_arrival(next->five_tuple);  // RFC 8016 §3.2.2: so does the end of the old connection
  }
}

void Model::on_opened(turn::RelayId relay, const Endpoint& relayed) {
  for (const auto& [other, endpoint] : sockets_)
    require(endpoint != relayed, "two sockets are open on " + relayed.to_string());
  require(sockets_.emplace(std::pair{relay.slot, relay.generation}, relayed).second, "one relay was opened twice");
}

void Model::on_closed(turn::RelayId relay) {
  require(sockets_.erase({relay.slot, relay.generation}) == 1, "a relay was closed that is not open");
}

void Model::on_ended(const turn::FiveTuple& client, turn::EndReason reason, Now now) {
  const Allocation* allocation = find(client);
  switch (reason) {
    case turn::EndReason::kExpired:
      ++statistics_.expired;
      return require(allocation == nullptr || allocation->ends_at() <= now.steady,
                     "an allocation expired before its time");
    case turn::EndReason::kCredentialExpired:
      ++statistics_.credentials_expired;
      return require(allocation == nullptr || allocation->credential_ends_at <= now.steady,
                     "an allocation ended before its credential");
    case turn::EndReason::kReleased:
      ++statistics_.released;
      return;
    case turn::EndReason::kClientGone:
      ++statistics_.connections_gone;
      return require(turn::is_stream(client.transport), "an allocation without a connection ended as if it had one");
    default:
      return;
  }
}

void Model::check(const turn::Server& server, Now now) {
  forget_what_is_over(now.steady);
  require(server.allocations().size() == allocations_.size(),
          "the server has " + std::to_string(server.allocations().size()) + " allocations, clients were told of " +
              std::to_string(allocations_.size()));
  std::size_t wanted = reservations_.size();
  for (const Allocation& allocation : allocations_)
    wanted += allocation.relays.size();
  require(sockets_.size() == wanted, std::to_string(sockets_.size()) + " relay sockets are open for " +
                                         std::to_string(wanted) + " relays and reservations");
  require(rules_.total_max == 0 || held() <= rules_.total_max, "more allocations than the server may have");
  for (const Allocation& allocation : allocations_)
    require(rules_.per_user_max == 0 || held_by(allocation.user) <= rules_.per_user_max,
            "more allocations than a user may have");
  for (const Allocation& allocation : allocations_)
    require(rules_.per_source_max == 0 || held_from(allocation.source) <= rules_.per_source_max,
            "more allocations than an address may have");
  require(rules_.realm_max == 0 || held() <= rules_.realm_max, "more allocations than the realm may have");
  const auto deadline = server.next_deadline();
  require(!deadline || *deadline > now.steady, "a timer is due that has just fired");
  require(deadline || held() == 0, "there are allocations or reservations, but no timer");
}

}  // namespace causeway::simulation
