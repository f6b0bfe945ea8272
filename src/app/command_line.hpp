// SPDX-License-Identifier: Apache-2.0
// What the command line asks for: causeway [serve] | check-config | credential | import-turnserver-conf | probe | token
// | version, and the arguments of each. Only command_line.cpp knows CLI11.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "app/probe_command.hpp"
#include "app/token_command.hpp"
#include "causeway/base/result.hpp"
#include "config/config.hpp"

namespace causeway::app {

enum class Command : std::uint8_t {
  kServe,
  kCheckConfig,
  kCredential,
  kImportTurnserverConf,
  kProbe,
  kToken,
  kVersion
};

// The options of `serve` that override the configuration file.
struct ServeArguments {
  std::vector<std::string> users;  // NAME:PASSWORD
  std::string realm;
  std::string listen;
  config::DefaultPorts ports;
  bool listeners = false;  // an address or a port was given
};

struct CredentialArguments {
  std::string user;
  std::string realm;  // empty: the first one
  std::string ttl = "1h";
  bool json = false;
};

struct CommandLine {
  Command command = Command::kServe;
  std::string file;  // empty: the default one, if any
  ServeArguments serve;
  CredentialArguments credential;
  ProbeArguments probe;
  TokenArguments token;
};

// `arguments` without the program's name. The error is an exit code: help or the version was printed on `out`, or what
// is wrong on `err`.
Result<CommandLine, int> parse_command_line(std::vector<std::string> arguments, std::ostream& out, std::ostream& err);

}  // namespace causeway::app
