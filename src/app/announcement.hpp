// SPDX-License-Identifier: Apache-2.0
// The few lines that a start prints: what to open, and where things are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "config/config.hpp"

namespace causeway::app {

struct AnnouncementFacts {
  const config::Config& config;
  const std::vector<config::Listener>& bound;
  std::vector<IpAddress> lan_addresses;  // of this machine, as others see them
  std::filesystem::path admin_token_file;
};

// "https://call.example.org:8443", by the configured name; empty where there is none, or no page over TLS.
std::string public_url(const config::Config& config);

std::string announcement(const AnnouncementFacts& facts);

}  // namespace causeway::app
