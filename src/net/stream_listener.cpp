// SPDX-License-Identifier: Apache-2.0
#include "net/stream_listener.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <optional>
#include <stdexcept>

#include "causeway/base/log_limit.hpp"
#include "net/deadline.hpp"
#include "net/endpoint_conversion.hpp"
#include "net/linger.hpp"
#include "net/listen_error.hpp"
#include "net/proxy_header.hpp"
#include "net/system_clock.hpp"
#include "net/system_random.hpp"
#include "net/tls_context.hpp"

namespace causeway::net {
namespace {

constexpr std::chrono::seconds kFirstOctetDeadline{10};
constexpr std::chrono::seconds kHandshakeDeadline{20};
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

// Of the lines that are written at a limited rate.
enum class LineReason : std::uint8_t { kAcceptError, kNotFromAProxy, kProxyHeader };

// nullopt: the connection ended first.
asio::awaitable<std::optional<Result<ProxyHeader, ProxyHeaderError>>> read_proxy_header(tcp::socket& socket) {
  std::array<std::uint8_t, kProxyHeaderBytesMax> octets;  // NOLINT: written before it is read
  std::size_t size = 0;
  for (;;) {
    const auto header = parse_proxy_header(Bytes{octets}.first(size));
    if (!header || header->missing == 0) co_return header;
    const auto [error, bytes] =
        co_await asio::async_read(socket, asio::buffer(octets.data() + size, header->missing), kAwait);
    if (error) co_return std::nullopt;
    size += bytes;
  }
}

}  // namespace

struct StreamListener::State {
  StreamListenerOptions options;
  StreamHandlers handlers;
  StreamAdmission& admission;
  Logger logger;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  Endpoint local;
  struct Session {
    asio::cancellation_signal cancellation{};
    bool has_ended = false;  // and goes from the list in the loop's next turn

    void end() {
      if (!has_ended) cancellation.emit(asio::cancellation_type::terminal);
    }
  };
  std::list<Session> sessions{};
  LogLimit log_limit{SystemRandom{}.next()};
  StreamListenerCounters counters{};

  static asio::awaitable<void> accept_loop(std::shared_ptr<State> state);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, Stream stream, ConnectionFacts facts);
  static asio::awaitable<bool> learn_addresses(State& state, Stream& stream, ConnectionFacts& facts);
  static asio::awaitable<bool> start_tls(State& state, Stream& stream, const ConnectionFacts& facts,
                                         Deadline& deadline);

  void start_session(const std::shared_ptr<State>& self, tcp::socket socket);
  bool may_connect(const IpAddress& address);
  void report_accept_error(const error_code& error);
  void report_proxy_header_error(const Endpoint& proxy, ProxyHeaderError error);
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
  if (const auto left_out = log_limit.admit(LineReason::kAcceptError, read_clock().steady)) {
    logger->error(
        "{}: cannot accept connections: {}; raise the limit of open files ({} more times since the last line)",
        local.to_string(), error.message(), *left_out);
  }
}

bool StreamListener::State::may_connect(const IpAddress& address) {
  const auto& proxies = options.proxies;
  const auto covers = [&](const Prefix& prefix) { return prefix.contains(address); };
  if (proxies.empty() || std::any_of(proxies.begin(), proxies.end(), covers)) return true;
  ++counters.not_from_a_proxy;
  if (const auto left_out = log_limit.admit(LineReason::kNotFromAProxy, address, read_clock().steady)) {
    logger->warn(
        "{}: a connection from {} was closed, because this listener takes them from its proxies only; if it is a "
        "proxy, add its address to proxy_protocol of the listener ({} more times since the last line)",
        local.to_string(), address.to_string(), *left_out);
  }
  return false;
}

void StreamListener::State::report_proxy_header_error(const Endpoint& proxy, ProxyHeaderError error) {
  ++counters.proxy_header_malformed;
  const auto left_out = log_limit.admit(LineReason::kProxyHeader, proxy.address, read_clock().steady);
  if (!left_out) return;
  const std::string_view what = error == ProxyHeaderError::kAbsent ? "does not begin with a PROXY protocol header"
                                : error == ProxyHeaderError::kTooLong
                                    ? "begins with a PROXY protocol header that is too long"
                                    : "begins with a malformed PROXY protocol header";
  logger->warn(
      "{}: a connection from the proxy {} {} and was closed; let it send one, or take it out of proxy_protocol of the "
      "listener ({} more times since the last line)",
      local.to_string(), proxy.to_string(), what, *left_out);
}

void StreamListener::State::start_session(const std::shared_ptr<State>& self, tcp::socket socket) {
  error_code gone;
  const tcp::endpoint remote = socket.remote_endpoint(gone);
  if (gone) return;
  const tcp::endpoint here = socket.local_endpoint(gone);
  if (gone) return;
  ConnectionFacts facts{.remote = from_asio(remote), .local = from_asio(here), .accepted_at = read_clock().steady};
  if (!may_connect(facts.remote.address)) return;
  const auto session = sessions.emplace(sessions.end());
  auto evict = [session] { session->end(); };
  const auto place = admission.open(facts.remote.address, !options.proxies.empty(), std::move(evict));
  if (!place) {
    sessions.erase(session);
    return;
  }
  ++counters.accepted;
  facts.place = {admission, *place};
  auto finished = [self, session, place = *place] {
    self->admission.close(place);
    session->has_ended = true;
    // The signal holds the very handler that is running now.
    asio::post(self->acceptor.get_executor(), [self, session] { self->sessions.erase(session); });
  };
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

asio::awaitable<bool> StreamListener::State::learn_addresses(State& state, Stream& stream, ConnectionFacts& facts) {
  const auto header = co_await read_proxy_header(stream.next_layer());
  if (!header) {
    ++state.counters.proxy_header_missing;
    co_return false;
  }
  if (!*header) {
    state.report_proxy_header_error(facts.remote, header->error());
    co_return false;
  }
  if (const auto& addresses = (*header)->addresses) {
    facts.remote = addresses->client;
    facts.local = addresses->server;
    co_return facts.place.identify(facts.remote.address);
  }
  co_return true;
}

asio::awaitable<bool> StreamListener::State::start_tls(State& state, Stream& stream, const ConnectionFacts& facts,
                                                       Deadline& deadline) {
  deadline.expires_after(kHandshakeDeadline);
  const error_code error = co_await state.admission.handshake(stream, state.options.tls_context, facts.remote.address);
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
    if (!state->options.proxies.empty()) {
      const bool learned = co_await learn_addresses(*state, stream, facts);
      if (!learned) co_return;
      deadline.expires_after(kFirstOctetDeadline);
    }
    std::uint8_t octet = 0;
    const auto [peek_error, peeked] =
        co_await stream.next_layer().async_receive(asio::buffer(&octet, 1), tcp::socket::message_peek, kAwait);
    if (peek_error) {
      ++state->counters.first_octet_missing;
      co_return;
    }
    if (state->options.tls_context && octet == kTlsHandshakeRecord) {
      facts.is_tls = true;
      const bool secured = co_await start_tls(*state, stream, facts, deadline);
      if (!secured) co_return;
      facts.server_name = stream.server_name();
    } else if (state->options.tls_context && is_letter(octet)) {
      ++state->counters.http_on_tls_port;
      co_await asio::async_write(stream, asio::buffer(kSpeaksHttps), kAwait);
      co_await linger(stream);
      co_return;
    } else if (state->options.tls_context && state->options.encrypted_only) {
      ++state->counters.plain_turn_refused;
      stream.close();
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
                               StreamHandlers handlers, StreamAdmission& admission, Logger logger) {
  tcp::acceptor acceptor = listen(executor, options, *logger);
  const Endpoint local = from_asio(acceptor.local_endpoint());
  state_.reset(new State{.options = std::move(options),
                         .handlers = std::move(handlers),
                         .admission = admission,
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
    for (State::Session& session : state->sessions)
      session.end();
  });
}

void StreamListener::set_tls_context(std::shared_ptr<const TlsContext> context) {
  state_->options.tls_context = std::move(context);
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
