// SPDX-License-Identifier: Apache-2.0
// The ICE servers of a room's member: the listeners that are really bound, with a TURN credential minted for this
// member alone. Its username carries random ids, never the names that people chose: it travels in clear.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "causeway/signaling/ice_servers.hpp"
#include "config/config.hpp"

namespace causeway::app {

class MemberIceServers final : public signaling::IceServers {
 public:
  MemberIceServers(std::string shared_secret, std::optional<std::string> public_host, std::chrono::seconds ttl)
      : shared_secret_(std::move(shared_secret)), public_host_(std::move(public_host)), ttl_(ttl) {}

  // With the port that was really bound. Set before the first member comes.
  void set_listeners(const std::vector<config::Listener>& bound);

  signaling::IceServerList for_member(const signaling::IceServersRequest& request, Now now) override;

 private:
  std::string shared_secret_;
  std::optional<std::string> public_host_;
  std::chrono::seconds ttl_;
  std::vector<config::Listener> listeners_;  // in the order of the URIs
};

}  // namespace causeway::app
