// SPDX-License-Identifier: Apache-2.0
// Asio and Beast, compiled once (BOOST_ASIO_SEPARATE_COMPILATION, BOOST_BEAST_SEPARATE_COMPILATION).
#include "net/asio.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
#include <boost/system/system_error.hpp>

namespace causeway::net {
namespace {

struct ReportEnd {
  Logger logger;
  std::string what;
  std::function<void()> finished;

  void operator()(const std::exception_ptr& exception) {
    if (exception) report(exception);
    if (finished) finished();
  }

  void report(const std::exception_ptr& exception) const {
    try {
      std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
      if (error.code() != asio::error::operation_aborted) logger->error("{} ended: {}", what, error.what());
    } catch (const std::exception& error) {
      logger->error("{} ended: {}", what, error.what());
    }
  }
};

}  // namespace

void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, Logger logger, std::string what,
           SpawnOptions options) {
  ReportEnd report{std::move(logger), std::move(what), std::move(options.finished)};
  asio::co_spawn(executor, std::move(coroutine), asio::bind_cancellation_slot(options.cancellation, std::move(report)));
}

}  // namespace causeway::net
