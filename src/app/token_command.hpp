// SPDX-License-Identifier: Apache-2.0
// The command `causeway token --room ROOM`: makes an access token, and the link that invites with it.
#pragma once

#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace causeway::app {

// As given on the command line; empty or 0 where an option was not.
struct TokenArguments {
  std::string room;
  std::string role = "member";
  std::string name;
  std::string user;
  std::string ttl = "24h";
  std::string url;
  unsigned members_max = 0;
  bool json = false;
};

// kExitBadConfig: no key of the configuration can sign.
int token(const TokenArguments& arguments, const config::Config& config, std::ostream& out, std::ostream& err);

}  // namespace causeway::app
