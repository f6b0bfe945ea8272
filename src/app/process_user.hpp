// SPDX-License-Identifier: Apache-2.0
// The user that a daemon started as root becomes once its ports are bound. Nothing here needs root afterwards: relay
// ports are above 1023, and what a reload reads has to be readable for that user anyway.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/state_directory.hpp"
#include "config/config.hpp"
#include "net/asio.hpp"

namespace causeway::app {

inline constexpr const char* kDefaultUser = "causeway";

class ProcessUser {
 public:
  // Throws std::runtime_error where this process is root and the machine has no such user.
  explicit ProcessUser(const std::optional<std::string>& configured);

  // Whose files shall be that are made before; nullopt: this process stays what it is.
  std::optional<FileOwner> owner() const { return target_; }
  // After the ports are bound. What cannot be done is one line in the log. Throws
  // std::runtime_error where the configuration names the user and the system does not let this process become it.
  void become(spdlog::logger& logger) const;

 private:
  std::string name_;
  std::optional<FileOwner> target_;
  std::string why_not_;  // why a process of root stays one
  bool is_configured_;
};

// The files that a reload reads again and this process cannot read, each with why.
std::vector<std::string> unreadable_at_reload(const config::Config& config);

}  // namespace causeway::app
