// SPDX-License-Identifier: Apache-2.0
// Runs coroutines of a test on one loop until all have ended.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <exception>
#include <vector>

#include "net/asio.hpp"

namespace causeway {

// An exception that leaves a coroutine, and a coroutine that has not ended after 30 s, fail the test.
template <class... Coroutines>
void run(asio::io_context& io, Coroutines... coroutines) {
  std::size_t running = sizeof...(coroutines);
  const auto ended = [&](const std::exception_ptr& exception) {
    --running;
    try {
      if (exception) std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  };
  (asio::co_spawn(io, std::move(coroutines), ended), ...);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  io.restart();
  while (running > 0 && io.run_one_until(deadline) > 0) {
  }
  EXPECT_EQ(running, 0U) << "a coroutine did not end";
}

// Runs what is left, which has to end by itself.
inline void run_out(asio::io_context& io) {
  io.restart();
  io.run_for(std::chrono::seconds(30));
  EXPECT_TRUE(io.stopped()) << "something keeps the loop running";
}

// Two ends of one TCP connection on loopback.
struct SocketPair {
  explicit SocketPair(asio::io_context& io) : client(io.get_executor()), server(io.get_executor()) {
    tcp::acceptor acceptor(io.get_executor(), {asio::ip::address_v4::loopback(), 0});
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
  }
  tcp::socket client;
  tcp::socket server;
};

}  // namespace causeway
