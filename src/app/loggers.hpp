// SPDX-License-Identifier: Apache-2.0
// Named loggers, one a folder, which share one sink on standard error. Made by the composition root and handed in.
// Logging never waits for whoever reads standard error (LineWriter): it may be called on any loop.
#pragma once

#include <chrono>
#include <memory>

#include "config/config.hpp"
#include "net/asio.hpp"

namespace causeway::app {

struct Loggers {
  Logger app;
  Logger turn;
  Logger net;
  Logger http;
  Logger signaling;

  class Sink;
  std::shared_ptr<Sink> sink;
  // Returns when all is written, soon in any case: before the process ends without destroying its loggers.
  void wait_written() const;
  // Ends the thread that writes, at the latest after `time`: what is logged later is lost. Otherwise the last logger
  // does it when it goes.
  void finish(std::chrono::milliseconds time) const;
};

Loggers make_loggers(const config::Log& options, int descriptor);  // which stays open
void set_level(const Loggers& loggers, config::LogLevel level);

}  // namespace causeway::app
