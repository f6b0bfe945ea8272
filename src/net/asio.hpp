// SPDX-License-Identifier: Apache-2.0
// The few names of Asio that every file at the edge uses, and the one way to start a coroutine.
// One io_context runs on one thread, so nothing at the edge takes a lock or needs a strand.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace causeway {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Logger = std::shared_ptr<spdlog::logger>;

namespace net {

// auto [error, bytes] = co_await stream.async_read_some(buffer, kAwait);
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<>> kAwait{};

struct SpawnOptions {
  asio::cancellation_slot cancellation{};  // ends the coroutine; must outlive it
  std::function<void()> finished{};        // called once it has ended, however it did
};

// Starts `coroutine`, called `what` in the log ("accept loop of [::]:443"). An exception that leaves it is logged as an
// error and ends it alone; one that only says that it was cancelled is not logged.
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, Logger logger, std::string what,
           SpawnOptions options = {});

}  // namespace net
}  // namespace causeway
