// SPDX-License-Identifier: Apache-2.0
// The command `causeway token --room ROOM`: makes an access token, and the link that invites with it.
#pragma once

#include <CLI/App.hpp>
#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace causeway::app {

class TokenCommand {
 public:
  // Adds the command to `app`, which fills this object while it parses.
  explicit TokenCommand(CLI::App& app);
  TokenCommand(const TokenCommand&) = delete;
  TokenCommand& operator=(const TokenCommand&) = delete;

  bool parsed() const;
  // kExitBadConfig: the options make no sense, or no key of the configuration can sign.
  int execute(const config::Config& config, std::ostream& out, std::ostream& err) const;

 private:
  CLI::App* command_;
  std::string room_;
  std::string role_ = "member";
  std::string name_;
  std::string user_;
  std::string ttl_ = "24h";
  std::string url_;
  unsigned members_max_ = 0;
  bool json_ = false;
};

}  // namespace causeway::app
