// SPDX-License-Identifier: Apache-2.0
#include "http/service.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <ctime>
#include <utility>
#include <variant>

#include "http/request_headers.hpp"
#include "http/signaling_service.hpp"
#include "net/deadline.hpp"
#include "net/linger.hpp"
#include "net/system_clock.hpp"
#include "net/system_random.hpp"

namespace causeway::http {
namespace {

namespace beast = boost::beast;
using beast::http::status;
using Parser = beast::http::request_parser<beast::http::empty_body>;

constexpr std::uint32_t kHeaderBytesMax = 8 * 1024;
constexpr std::size_t kReadBytesMax = kHeaderBytesMax;  // buffered: no body is ever read
constexpr std::chrono::seconds kRequestDeadline{30};    // also how long a connection may idle between two requests
constexpr std::chrono::seconds kResponseDeadline{120};
// After that long the next response is a connection's last: nobody keeps a place by asking again and again.
constexpr std::chrono::minutes kConnectionLife{5};

// What to tell a client whose request cannot be read; nullopt where nobody listens any more.
std::optional<Response> refusal(const error_code& error) {
  using Error = beast::http::error;
  if (error == Error::header_limit || error == Error::buffer_overflow) {
    return sentence_response(status::request_header_fields_too_large, "The request's header exceeds 8 KiB.\n");
  }
  const bool is_gone = error == Error::end_of_stream || error == Error::partial_message;
  if (is_gone || error.category() != beast::http::make_error_code(Error::bad_method).category()) return std::nullopt;
  return sentence_response(status::bad_request, "This is not a valid HTTP/1.1 request.\n");
}

// RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(WallTime time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

// Of the lines that are written at a limited rate.
enum class LineReason : std::uint8_t { kForwardedIgnored, kForwardedMalformed };

// For the log.
std::string name_of(const Endpoint& client, const Endpoint& connected) {
  if (client == connected) return client.to_string();
  return client.address.to_string() + " through " + connected.to_string();
}

// One client's requests, one after the other.
struct Conversation {
  net::Stream& stream;
  beast::flat_buffer& buffer;
  net::Deadline deadline{stream.next_layer()};

  // Returns whether the connection can go on.
  asio::awaitable<bool> respond(const Response& response, bool is_head, bool keep_alive);
};

asio::awaitable<bool> Conversation::respond(const Response& response, bool is_head, bool keep_alive) {
  beast::http::response<beast::http::span_body<const char>> message;
  message.base() = response.header;
  message.version(11);
  message.set(beast::http::field::server, "causeway");
  message.set(beast::http::field::date, http_date(read_clock().wall));
  message.keep_alive(keep_alive);
  if (response.header.result() != status::not_modified) message.content_length(response.body.size());
  if (!is_head) message.body() = {response.body.data(), response.body.size()};
  deadline.expires_after(kResponseDeadline);
  const auto [error, bytes] = co_await beast::http::async_write(stream, message, net::kAwait);
  if (error) {
    stream.close();
  } else if (!keep_alive) {
    co_await net::linger(stream);
  }
  co_return !error && keep_alive;
}

}  // namespace

Service::Service(StaticFiles files, SignalingService& signaling, TrustedProxies proxies, Logger logger)
    : files_(std::move(files)),
      signaling_(signaling),
      proxies_(std::move(proxies)),
      logger_(std::move(logger)),
      log_limit_(net::SystemRandom{}.next()) {}

asio::awaitable<void> Service::serve(net::Stream stream, std::vector<std::uint8_t> first_bytes,
                                     net::ConnectionFacts facts) {
  beast::flat_buffer buffer(kReadBytesMax);
  buffer.commit(asio::buffer_copy(buffer.prepare(first_bytes.size()), asio::buffer(first_bytes)));
  std::vector<std::uint8_t>().swap(first_bytes);  // a WebSocket stays for hours
  std::unique_ptr<WebSocketUpgrade> upgrade = co_await serve_requests(stream, buffer, facts);
  buffer.shrink_to_fit();
  if (upgrade) co_await signaling_.serve(std::move(stream), std::move(upgrade));
}

net::ConnectionFacts Service::facts_of_client(const beast::http::fields& header,
                                              const net::ConnectionFacts& connection) {
  if (!is_forwarded(header)) return connection;
  const std::string sender = connection.remote.address.to_string();
  const TimePoint now = read_clock().steady;
  if (!proxies_.contain(connection.remote.address)) {
    ++counters_.forwarded_ignored;
    if (const auto left_out = log_limit_.admit(LineReason::kForwardedIgnored, connection.remote.address, now)) {
      logger_->warn(
          "a request of {} says that it was forwarded, and is taken for the sender's own; if that is a proxy of yours, "
          "add its address to web.trusted_proxies ({} more such requests since the last line)",
          sender, *left_out);
    }
    return connection;
  }
  const auto client = client_behind({connection.remote.address, connection.is_tls}, header, proxies_);
  if (!client) {
    ++counters_.forwarded_malformed;
    if (const auto left_out = log_limit_.admit(LineReason::kForwardedMalformed, connection.remote.address, now)) {
      logger_->warn(
          "the proxy {} forwards a request in a way that cannot be read, and counts as the client of such requests; "
          "let it write {} as web.forwarded_header says ({} more such requests since the last line)",
          sender, name_of(proxies_.header), *left_out);
    }
    return connection;
  }
  net::ConnectionFacts facts = connection;
  if (client->address != connection.remote.address) facts.remote = {client->address, 0};
  facts.is_tls = client->is_tls;
  return facts;
}

asio::awaitable<std::unique_ptr<WebSocketUpgrade>> Service::serve_requests(net::Stream& stream,
                                                                           beast::flat_buffer& buffer,
                                                                           const net::ConnectionFacts& facts) {
  Conversation conversation{stream, buffer};
  const TimePoint ends_at = read_clock().steady + kConnectionLife;
  for (bool goes_on = true; goes_on;) {
    // On the heap, and gone before the answer: who does not read it shall not make the server keep the request.
    auto parser = std::make_unique<Parser>();
    parser->header_limit(kHeaderBytesMax);
    parser->body_limit(boost::none);  // what has a body is answered without reading it
    conversation.deadline.expires_after(kRequestDeadline);
    const auto [error, bytes] = co_await beast::http::async_read_header(stream, buffer, *parser, net::kAwait);
    if (error) {
      const std::optional<Response> last_words = refusal(error);
      if (last_words) co_await conversation.respond(*last_words, false, false);
      stream.close();
      break;
    }
    Answer answer = answer_to(parser->release(), facts, buffer.size() > 0);
    parser.reset();
    if (answer.upgrade) co_return std::move(answer.upgrade);
    goes_on = co_await conversation.respond(answer.response, answer.is_head,
                                            answer.keep_alive && read_clock().steady < ends_at);
  }
  co_return nullptr;
}

Service::Answer Service::answer_to(Request request, const net::ConnectionFacts& facts, bool has_more) {
  const net::ConnectionFacts client = facts_of_client(request, facts);
  const bool is_proxied = client.remote != facts.remote;  // the port of this server is none for its clients
  Outcome outcome = route(request, client,
                          {.files = files_,
                           .origins = signaling_.options().origins,
                           .https_port = is_proxied ? std::nullopt : https_port_,
                           .is_ready = is_ready_,
                           .strict_transport = strict_transport_ && !is_proxied});
  Answer answer{.is_head = request.method() == beast::http::verb::head,
                .keep_alive = request.keep_alive() && can_go_on_after(request)};
  if (auto* open = std::get_if<signaling::OpenRequest>(&outcome)) {
    const bool has_place = facts.place.identify(client.remote.address);
    if (has_place && !has_more) {
      answer.upgrade = std::make_unique<WebSocketUpgrade>(
          WebSocketUpgrade{std::move(request), std::move(*open), name_of(client.remote, facts.remote), facts.place});
      return answer;
    }
    outcome = has_place
                  ? sentence_response(status::bad_request, "WebSocket frames came before the upgrade was answered.\n")
                  : sentence_response(status::service_unavailable, "Too many connections from this address.\n");
    answer.keep_alive = false;
  }
  answer.response = std::get<Response>(std::move(outcome));
  logger_->debug("{} {} {}: {}", name_of(client.remote, facts.remote), std::string_view(request.method_string()),
                 target_path(request.target()), answer.response.header.result_int());
  return answer;
}

}  // namespace causeway::http
