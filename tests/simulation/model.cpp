// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <algorithm>

namespace causeway::simulation {

using namespace std::chrono_literals;

namespace {

constexpr auto kChannelCoolDown = 300s;  // RFC 8656 §12

}  // namespace

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
  std::erase_if(allocations_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  std::erase_if(reservations_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  for (auto& [client, allocation] : allocations_) {
    std::erase_if(allocation.permissions, [now](const auto& entry) { return entry.second <= now; });
    std::erase_if(allocation.channels,
                  [now](const auto& entry) { return entry.second.expires_at + kChannelCoolDown <= now; });
  }
}

Model::Allocation* Model::find(const turn::FiveTuple& client) {
  const auto found = allocations_.find(client);
  return found == allocations_.end() ? nullptr : &found->second;
}

Model::Allocation* Model::find_relayed(const Endpoint& relayed) {
  for (auto& [client, allocation] : allocations_)
    if (allocation.relayed == relayed) return &allocation;
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

std::uint32_t Model::held_by(const std::string& user) const {
  const auto is_theirs = [&user](const auto& entry) { return entry.second.user == user; };
  return static_cast<std::uint32_t>(std::count_if(allocations_.begin(), allocations_.end(), is_theirs) +
                                    std::count_if(reservations_.begin(), reservations_.end(), is_theirs));
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
  allocations_.erase(client);
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
      return require(allocation == nullptr || allocation->expires_at <= now.steady,
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
  require(sockets_.size() == held(), std::to_string(sockets_.size()) + " relay sockets are open for " +
                                         std::to_string(held()) + " allocations and reservations");
  require(rules_.total_max == 0 || held() <= rules_.total_max, "more allocations than the server may have");
  for (const auto& [client, allocation] : allocations_)
    require(rules_.per_user_max == 0 || held_by(allocation.user) <= rules_.per_user_max,
            "more allocations than a user may have");
  const auto deadline = server.next_deadline();
  require(!deadline || *deadline > now.steady, "a timer is due that has just fired");
  require(deadline || held() == 0, "there are allocations or reservations, but no timer");
}

}  // namespace causeway::simulation
