// SPDX-License-Identifier: Apache-2.0
#include "app/member_ice_servers.hpp"

#include <algorithm>

#include "causeway/turn/credentials.hpp"

namespace causeway::app {
namespace {

// A URI of RFC 7064 or RFC 7065.
std::string uri_of(const config::Listener& listener, const std::string& host) {
  const std::string where = host + ":" + std::to_string(listener.port);
  switch (listener.transport) {
    case config::Transport::kUdp:
      return "turn:" + where + "?transport=udp";
    case config::Transport::kTcp:
      return "turn:" + where + "?transport=tcp";
    case config::Transport::kTls:
      return "turns:" + where + "?transport=tcp";
    case config::Transport::kDtls:
      break;  // set_listeners() leaves it out
  }
  return {};
}

std::string in_uri(std::string_view host) {
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return bare_v6 ? "[" + std::string{host} + "]" : std::string{host};
}

}  // namespace

// No browser speaks TURN over DTLS, so such a listener is not named. Nor is one behind a proxy: it closes connections
// that come another way, and the proxy's port is not known here.
// Each URI costs every member an allocation per peer and address family. So a listener that also serves pages is named
// only where no other offers its transport, and one that only this machine can reach only if all are such.
void MemberIceServers::set_listeners(const std::vector<config::Listener>& bound) {
  const bool all_loopback =
      std::all_of(bound.begin(), bound.end(), [](const auto& listener) { return listener.address.is_loopback(); });
  for (const auto transport : {config::Transport::kUdp, config::Transport::kTcp, config::Transport::kTls}) {
    std::vector<config::Listener> dedicated;
    std::vector<config::Listener> shared;
    for (const config::Listener& listener : bound) {
      if (listener.transport != transport || !listener.turn || !listener.proxy_protocol.empty()) continue;
      if (listener.address.is_loopback() && !all_loopback) continue;
      (listener.http ? shared : dedicated).push_back(listener);
    }
    const auto& chosen = dedicated.empty() ? shared : dedicated;
    listeners_.insert(listeners_.end(), chosen.begin(), chosen.end());
  }
}

// IPv4's where there are both: that is where NATs are, and whoever lacks a family would take its URIs for dead ones.
void MemberIceServers::set_nat_discovery(const config::NatDiscovery& nat_discovery) {
  const auto& [addresses, external, port, alternate_port] = nat_discovery;
  std::vector<IpAddress> pair = external.empty() ? addresses : external;
  std::stable_partition(pair.begin(), pair.end(), [](const IpAddress& address) { return address.is_v4(); });
  if (pair.size() < 2) return;
  for (const Endpoint& endpoint : {Endpoint{pair[0], port}, {pair[1], port}, {pair[1], alternate_port}}) {
    nat_discovery_.push_back("stun:" + endpoint.to_string());
  }
}

turn::RealmIndex MemberIceServers::realm_of(const config::Listener& listener, std::string_view host) const {
  const auto literal = IpAddress::parse(host);
  const IpAddress address = literal && listener.address.is_unspecified() ? *literal : listener.address;
  // Browsers send no address by SNI, only names (RFC 6066 §3).
  return listener.transport == config::Transport::kTls && !literal ? selector_.by_name(host, address)
                                                                   : selector_.by_address(address);
}

signaling::IceServerList MemberIceServers::for_member(const signaling::IceServersRequest& request, Now now) {
  const std::string_view name = public_host_ ? std::string_view{*public_host_} : request.host;
  const std::string host = in_uri(name);
  signaling::IceServerList list;
  if (listeners_.empty()) return list;
  const bool serves_stun = binding_ == config::BindingAccess::kOpen;
  const auto udp = std::find_if(listeners_.begin(), listeners_.end(),
                                [](const auto& listener) { return listener.transport == config::Transport::kUdp; });
  if (serves_stun && udp != listeners_.end())
    list.servers.push_back({{"stun:" + host + ":" + std::to_string(udp->port)}, {}, {}});

  const std::string user = LiveMembers::user_of(request.room_id, request.member_id);
  if (members_) members_->add(user);
  for (turn::RealmIndex realm = 0; realm < secrets_.size(); ++realm) {
    signaling::IceServer turn;
    for (const config::Listener& listener : listeners_) {
      if (realm_of(listener, name) == realm) turn.urls.push_back(uri_of(listener, host));
    }
    if (turn.urls.empty() || secrets_[realm].empty()) continue;
    auto credential = turn::make_time_limited_credential(secrets_[realm], user, now.wall + ttl_);
    turn.username = std::move(credential.username);
    turn.credential = std::move(credential.password);
    list.servers.push_back(std::move(turn));
  }
  list.ttl = ttl_;
  if (serves_stun) list.nat_discovery = nat_discovery_;
  return list;
}

void MemberIceServers::on_departure(std::string_view room_id, std::string_view member_id) {
  if (!members_) return;
  const std::string user = LiveMembers::user_of(room_id, member_id);
  members_->remove(user);
  on_departure_(user);
}

}  // namespace causeway::app
