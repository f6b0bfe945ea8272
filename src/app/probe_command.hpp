// SPDX-License-Identifier: Apache-2.0
// The command `causeway probe URI`: its options, and the report of the steps.
#pragma once

#include <CLI/App.hpp>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "causeway/base/result.hpp"
#include "probe/probe.hpp"

namespace causeway::app {

// "192.0.2.1:9", "[2001:db8::1]:9".
std::optional<Endpoint> parse_endpoint(std::string_view text);

class ProbeCommand {
 public:
  // Adds the command to `app`, which fills this object while it parses.
  explicit ProbeCommand(CLI::App& app);
  ProbeCommand(const ProbeCommand&) = delete;
  ProbeCommand& operator=(const ProbeCommand&) = delete;

  bool parsed() const;
  // kExitSuccess: every step passed; kExitFailure: one did not; kExitBadConfig: the options make no sense.
  int execute(std::ostream& out, std::ostream& err) const;

 private:
  struct UsageError {
    std::string sentence;
  };
  Result<probe::ProbeOptions, UsageError> probe_options() const;
  void print(const std::vector<probe::Step>& steps, std::ostream& out) const;
  void print_json(const std::vector<probe::Step>& steps, std::ostream& out) const;

  CLI::App* command_;
  std::string uri_;
  std::string user_;
  std::string password_;
  std::string secret_;
  std::string peer_;
  std::string authorities_;
  unsigned timeout_seconds_ = 10;
  bool insecure_ = false;
  bool json_ = false;
};

}  // namespace causeway::app
