// SPDX-License-Identifier: Apache-2.0
#include "net/stream_listener.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <stdexcept>

#include "net/deadline.hpp"
#include "net/endpoint_conversion.hpp"
#include "net/linger.hpp"
#include "net/listen_error.hpp"
#include "net/system_clock.hpp"
#include "net/tls_context.hpp"

namespace causeway::net {
namespace {

constexpr std::chrono::seconds kFirstOctetDeadline{10};
constexpr std::chrono::seconds kHandshakeDeadline{10};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::minutes kAcceptErrorLogInterval{1};
constexpr std::size_t kFirstReadBytes = 2048;
constexpr std::uint8_t kTlsHandshakeRecord = 22;  // RFC 8446 §5.1

constexpr std::string_view kSpeaksHttps =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 61\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS. Use https:// instead of http:// here.";

bool is_letter(std::uint8_t octet) noexcept {
  return (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z';
}
bool is_stun(std::uint8_t octet) noexcept {
  return octet <= 3;
}  // RFC 7983 §7

tcp::acceptor listen(const asio::any_io_executor& executor, const tcp::endpoint& endpoint, error_code& error) {
  tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  return acceptor;
}

tcp::acceptor listen(const asio::any_io_executor& executor, const StreamListenerOptions& options,
                     spdlog::logger& logger) {
  const std::string_view transport = options.tls_context ? "tls" : "tcp";
  const tcp::endpoint wanted = to_asio<tcp>(options.address);
  error_code error;
  tcp::acceptor acceptor = listen(executor, wanted, error);
  if (error && means_no_ipv6(error) && wanted.address().is_v6() && wanted.address().is_unspecified()) {
    logger.warn("{} {}: this machine has no IPv6, listening on 0.0.0.0 only", transport, options.address.to_string());
    acceptor = listen(executor, {tcp::v4(), wanted.port()}, error);
  }
  if (error) throw std::runtime_error(listen_error(transport, options.address, error));
  return acceptor;
}

}  // namespace

struct StreamListener::State {
  StreamListenerOptions options;
  StreamHandlers handlers;
  ConnectionBudget& budget;
  Logger logger;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  Endpoint local;
  struct Session {
    asio::cancellation_signal cancellation{};
    bool has_ended = false;  // and goes from the list in the loop's next turn
  };
  std::list<Session> sessions{};
  TimePoint accept_error_logged{};
  StreamListenerCounters counters{};

  static asio::awaitable<void> accept_loop(std::shared_ptr<State> state);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, Stream stream, ConnectionFacts facts);
  static asio::awaitable<bool> start_tls(State& state, Stream& stream, Deadline& deadline);

  void start_session(const std::shared_ptr<State>& self, tcp::socket socket);
  void report_accept_error(const error_code& error);
  const StreamHandler* handler_for(std::uint8_t first_octet) const noexcept;
};

asio::awaitable<void> StreamListener::State::accept_loop(std::shared_ptr<State> state) {
  while (state->acceptor.is_open()) {
    auto [error, socket] = co_await state->acceptor.async_accept(kAwait);
    if (!state->acceptor.is_open()) co_return;
    if (!error) {
      state->start_session(state, std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      // Out of descriptors or memory: connections wait in the backlog until some are free again.
      state->report_accept_error(error);
      state->pause.expires_after(kAcceptPause);
      co_await state->pause.async_wait(kAwait);
    }
  }
}

void StreamListener::State::report_accept_error(const error_code& error) {
  ++counters.accept_errors;
  const TimePoint now = read_clock().steady;
  if (accept_error_logged != TimePoint{} && now - accept_error_logged < kAcceptErrorLogInterval) return;
  accept_error_logged = now;
  logger->error("{}: cannot accept connections: {} ({} times since the start); raise the limit of open files",
                local.to_string(), error.message(), counters.accept_errors);
}

void StreamListener::State::start_session(const std::shared_ptr<State>& self, tcp::socket socket) {
  if (budget.open >= budget.connections_max) {
    ++counters.refused_over_budget;
    return;
  }
  error_code gone;
  const tcp::endpoint remote = socket.remote_endpoint(gone);
  const tcp::endpoint here = socket.local_endpoint(gone);
  if (gone) return;
  ++counters.accepted;
  ++budget.open;
  const auto session = sessions.emplace(sessions.end());
  auto finished = [self, session] {
    --self->budget.open;
    session->has_ended = true;
    // The signal holds the very handler that is running now.
    asio::post(self->acceptor.get_executor(), [self, session] { self->sessions.erase(session); });
  };
  const ConnectionFacts facts{.remote = from_asio(remote), .local = from_asio(here)};
  std::string what = "connection from " + facts.remote.to_string();
  spawn(acceptor.get_executor(), serve(self, Stream(std::move(socket)), facts), logger, std::move(what),
        {.cancellation = session->cancellation.slot(), .finished = std::move(finished)});
}

const StreamHandler* StreamListener::State::handler_for(std::uint8_t first_octet) const noexcept {
  const StreamHandler* handler = is_stun(first_octet)     ? &handlers.turn
                                 : is_letter(first_octet) ? &handlers.http
                                                          : nullptr;
  return handler && *handler ? handler : nullptr;
}

asio::awaitable<bool> StreamListener::State::start_tls(State& state, Stream& stream, Deadline& deadline) {
  deadline.expires_after(kHandshakeDeadline);
  const auto [error] = co_await stream.async_handshake(*state.options.tls_context, kAwait);
  if (error) ++state.counters.tls_handshakes_failed;
  deadline.expires_after(kFirstOctetDeadline);
  co_return !error;
}

asio::awaitable<void> StreamListener::State::serve(std::shared_ptr<State> state, Stream stream, ConnectionFacts facts) {
  std::vector<std::uint8_t> first_bytes(kFirstReadBytes);
  const StreamHandler* handler = nullptr;
  {
    Deadline deadline(stream.next_layer());
    deadline.expires_after(kFirstOctetDeadline);
    std::uint8_t octet = 0;
    const auto [peek_error, peeked] =
        co_await stream.next_layer().async_receive(asio::buffer(&octet, 1), tcp::socket::message_peek, kAwait);
    if (peek_error) {
      ++state->counters.first_octet_missing;
      co_return;
    }
    if (state->options.tls_context && octet == kTlsHandshakeRecord) {
      facts.is_tls = true;
      const bool secured = co_await start_tls(*state, stream, deadline);
      if (!secured) co_return;
    } else if (state->options.tls_context && is_letter(octet)) {
      ++state->counters.http_on_tls_port;
      co_await asio::async_write(stream, asio::buffer(kSpeaksHttps), kAwait);
      co_await linger(stream);
      co_return;
    }
    const auto [read_error, bytes] = co_await stream.async_read_some(asio::buffer(first_bytes), kAwait);
    if (read_error) {
      ++state->counters.first_octet_missing;
      co_return;
    }
    first_bytes.resize(bytes);
    handler = state->handler_for(first_bytes.front());
    if (!handler) {
      ++state->counters.unknown_protocol;
      stream.close();
      co_return;
    }
  }
  co_await (*handler)(std::move(stream), std::move(first_bytes), facts);
}

StreamListener::StreamListener(const asio::any_io_executor& executor, StreamListenerOptions options,
                               StreamHandlers handlers, ConnectionBudget& budget, Logger logger) {
  tcp::acceptor acceptor = listen(executor, options, *logger);
  const Endpoint local = from_asio(acceptor.local_endpoint());
  state_.reset(new State{.options = std::move(options),
                         .handlers = std::move(handlers),
                         .budget = budget,
                         .logger = std::move(logger),
                         .acceptor = std::move(acceptor),
                         .pause = asio::steady_timer(executor),
                         .local = local});
}

StreamListener::~StreamListener() {
  stop();
}

void StreamListener::start() {
  spawn(state_->acceptor.get_executor(), State::accept_loop(state_), state_->logger,
        "accept loop of " + state_->local.to_string());
}

void StreamListener::stop() noexcept {
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  // On the loop: there a signal takes effect at once, elsewhere only after its session may have gone.
  asio::dispatch(state_->acceptor.get_executor(), [state = state_] {
    for (State::Session& session : state->sessions) {
      if (!session.has_ended) session.cancellation.emit(asio::cancellation_type::terminal);
    }
  });
}

Endpoint StreamListener::local_endpoint() const {
  return state_->local;
}
bool StreamListener::is_tls() const noexcept {
  return state_->options.tls_context != nullptr;
}
std::size_t StreamListener::sessions() const noexcept {
  return state_->sessions.size();
}
const StreamListenerCounters& StreamListener::counters() const noexcept {
  return state_->counters;
}

}  // namespace causeway::net
