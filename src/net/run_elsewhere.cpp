// SPDX-License-Identifier: Apache-2.0
#include "net/run_elsewhere.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

namespace causeway::net {
namespace {

// Asio's own way to await co_spawn() on another executor lets a cancellation that comes too late look for a signal that
// has gone. Here the signal is used there alone, and outlives all that is posted about it.
struct Visit {
  explicit Visit(const asio::any_io_executor& here) : ended_here(here, asio::steady_timer::time_point::max()) {}

  asio::cancellation_signal cancellation;  // there
  bool has_ended_there = false;            // there
  bool has_ended = false;                  // here, as the rest
  std::exception_ptr exception;
  asio::steady_timer ended_here;  // cancelled to wake the awaiting coroutine
};

void start(const std::shared_ptr<Visit>& visit, const asio::any_io_executor& here, const asio::any_io_executor& there,
           asio::awaitable<void> coroutine) {
  auto ended = [visit, here, there](std::exception_ptr exception) {
    visit->has_ended_there = true;
    // By way of the loop there, which is done with this handler and with the signal then.
    asio::post(there, [visit, here, exception = std::move(exception)] {
      asio::post(here, [visit, exception] {
        visit->exception = exception;
        visit->has_ended = true;
        visit->ended_here.cancel();
      });
    });
  };
  asio::co_spawn(there, std::move(coroutine),
                 asio::bind_cancellation_slot(visit->cancellation.slot(), std::move(ended)));
}

}  // namespace

asio::awaitable<void> run_elsewhere(asio::any_io_executor there, asio::awaitable<void> coroutine) {
  const auto here = co_await asio::this_coro::executor;
  const auto visit = std::make_shared<Visit>(here);
  start(visit, here, there, std::move(coroutine));
  (void)co_await visit->ended_here.async_wait(kAwait);
  if (!visit->has_ended) {
    asio::post(there, [visit] {
      if (!visit->has_ended_there) visit->cancellation.emit(asio::cancellation_type::terminal);
    });
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!visit->has_ended)
      (void)co_await visit->ended_here.async_wait(kAwait);
  }
  if (visit->exception) std::rethrow_exception(visit->exception);
}

}  // namespace causeway::net
