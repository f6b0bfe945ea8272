// SPDX-License-Identifier: Apache-2.0
// Where the Hub gets a member's ICE servers from. The application implements it with TURN credentials minted per
// member.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/time.hpp"

namespace causeway::signaling {

// One entry of RTCConfiguration.iceServers.
struct IceServer {
  std::vector<std::string> urls;
  std::string username;  // both empty: a STUN server, which takes no credential
  std::string credential;
};

struct IceServerList {
  std::vector<IceServer> servers;
  std::chrono::seconds ttl{0};  // life of the credentials; 0: they do not expire and are never pushed anew
  // STUN URIs at two addresses of this server, for the mapping tests of RFC 5780 §4.3 in their order: the first
  // address, the second with the same port, the second with another port. Often empty.
  std::vector<std::string> nat_discovery;
};

struct IceServersRequest {
  std::string_view room_id;  // random ids made by the Hub, fit for a username: never the names that people chose
  std::string_view member_id;
  std::string_view host;  // the host name (no port) by which this client reached the server
  bool secure = false;    // it came over TLS
};

class IceServers {
 public:
  virtual ~IceServers() = default;
  virtual IceServerList for_member(const IceServersRequest& request, Now now) = 0;
  // The member has left its room for good: nobody needs its credentials any more.
  virtual void on_departure(std::string_view /*room_id*/, std::string_view /*member_id*/) {}
};

}  // namespace causeway::signaling
