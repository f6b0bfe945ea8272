// SPDX-License-Identifier: Apache-2.0
// The ICE servers of a room's member: the listeners that are really bound, with a TURN credential minted for this
// member alone. Its username carries random ids, never the names that people chose: it travels in clear.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/live_members.hpp"
#include "causeway/signaling/ice_servers.hpp"
#include "config/config.hpp"
#include "net/realm_selector.hpp"

namespace causeway::app {

class MemberIceServers final : public signaling::IceServers {
 public:
  // `secrets`: one for each realm; empty where its members cannot get any.
  MemberIceServers(std::vector<std::string> secrets, net::RealmSelector selector,
                   std::optional<std::string> public_host, std::chrono::seconds ttl)
      : secrets_(std::move(secrets)), selector_(std::move(selector)), public_host_(std::move(public_host)), ttl_(ttl) {}

  void set_secrets(std::vector<std::string> secrets) { secrets_ = std::move(secrets); }
  // Members are told no stun: URI where such requests get no answer.
  void set_binding(config::BindingAccess binding) { binding_ = binding; }

  // With the port that was really bound. Set before the first member comes.
  void set_listeners(const std::vector<config::Listener>& bound);

  void set_nat_discovery(const config::NatDiscovery& nat_discovery);

  // `members` are those who have got credentials and have not left. `on_departure` is called with the user of each who
  // has left.
  void bind_to_membership(std::shared_ptr<LiveMembers> members,
                          std::function<void(const std::string& user)> on_departure) {
    members_ = std::move(members);
    on_departure_ = std::move(on_departure);
  }

  signaling::IceServerList for_member(const signaling::IceServersRequest& request, Now now) override;
  void on_departure(std::string_view room_id, std::string_view member_id) override;

 private:
  // The one that a client meets who follows a URI with this listener and host.
  turn::RealmIndex realm_of(const config::Listener& listener, std::string_view host) const;

  std::vector<std::string> secrets_;
  net::RealmSelector selector_;
  std::optional<std::string> public_host_;
  std::chrono::seconds ttl_;
  std::vector<config::Listener> listeners_;  // in the order of the URIs
  std::vector<std::string> nat_discovery_;   // URIs
  config::BindingAccess binding_ = config::BindingAccess::kOpen;
  std::shared_ptr<LiveMembers> members_;  // nullptr: credentials are good without their members
  std::function<void(const std::string& user)> on_departure_;
};

}  // namespace causeway::app
