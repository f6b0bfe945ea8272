// SPDX-License-Identifier: Apache-2.0
// The command `causeway probe URI`: its arguments, and the report of the steps.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/endpoint.hpp"

namespace causeway::app {

// "192.0.2.1:9", "[2001:db8::1]:9".
std::optional<Endpoint> parse_endpoint(std::string_view text);

// As given on the command line; empty strings where an option was not.
struct ProbeArguments {
  std::string uri;
  std::string user;
  std::string password;
  std::string secret;
  std::string peer;
  std::string authorities;
  unsigned timeout_seconds = 10;
  bool insecure = false;
  bool json = false;
};

// kExitSuccess: every step passed; kExitFailure: one did not; kExitBadConfig: the arguments make no sense.
int probe(const ProbeArguments& arguments, std::ostream& out, std::ostream& err);

}  // namespace causeway::app
