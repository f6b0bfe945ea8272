// SPDX-License-Identifier: Apache-2.0
// Named loggers, one a folder, which share one sink on standard error. Made by the composition root and handed in.
#pragma once

#include "config/config.hpp"
#include "net/asio.hpp"

namespace causeway::app {

struct Loggers {
  Logger app;
  Logger turn;
  Logger net;
  Logger http;
  Logger signaling;
};

Loggers make_loggers(const config::Log& options);
void set_level(const Loggers& loggers, config::LogLevel level);

}  // namespace causeway::app
