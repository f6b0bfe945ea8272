// SPDX-License-Identifier: Apache-2.0
// The first octet decides: StreamListener on loopback with Asio's clients.
#include "net/stream_listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "loop.hpp"
#include "net/tls_context.hpp"
#include "tls_files.hpp"

namespace causeway::net {
namespace {

using asio::use_awaitable;
using testing::HasSubstr;
using testing::Not;
using TlsClient = asio::ssl::stream<tcp::socket>;

constexpr std::string_view kStun{"\x00\x01\x00\x00", 4};

struct Served {
  std::string first;
  ConnectionFacts facts;
};

// Answers with what came first and keeps the connection until the client closes or the listener stops.
asio::awaitable<void> serve(std::vector<Served>& served, std::string name, Stream stream,
                            std::vector<std::uint8_t> first_bytes, ConnectionFacts facts) {
  served.push_back({name + ":" + std::string(as_text(first_bytes)), facts});
  co_await asio::async_write(stream, asio::buffer(name), use_awaitable);
  std::array<std::uint8_t, 64> rest{};
  for (;;) {
    const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(rest), kAwait);
    if (error) co_return;
  }
}

class StreamListenerTest : public testing::Test {
 protected:
  StreamListenerTest() { std::signal(SIGPIPE, SIG_IGN); }

  StreamHandler handler(std::string name) {
    return [this, name](Stream stream, std::vector<std::uint8_t> first_bytes, ConnectionFacts facts) {
      return serve(served_, name, std::move(stream), std::move(first_bytes), facts);
    };
  }

  StreamListener& listen(bool tls, std::string_view address = "127.0.0.1", std::vector<Prefix> proxies = {},
                         bool encrypted_only = false) {
    StreamListenerOptions options{{*IpAddress::parse(address), 0}, nullptr, std::move(proxies), encrypted_only};
    if (tls) options.tls_context = std::make_shared<TlsContext>(files_.certificate(), files_.private_key());
    listener_ = std::make_unique<StreamListener>(io_.get_executor(), options,
                                                 StreamHandlers{handler("turn"), handler("http")}, admission_, logger_);
    listener_->start();
    return *listener_;
  }

  tcp::socket connect() {
    tcp::socket socket(io_);
    socket.connect({asio::ip::address_v4::loopback(), listener_->local_endpoint().port});
    return socket;
  }

  TlsFiles files_;
  std::ostringstream log_;
  Logger logger_ = std::make_shared<spdlog::logger>("net", std::make_shared<spdlog::sinks::ostream_sink_st>(log_));
  std::vector<Served> served_;
  asio::ssl::context client_context_{asio::ssl::context::tls_client};
  asio::io_context io_{1};
  StreamAdmission admission_{io_.get_executor(), {.connections = {.connections_max = 10}}, 1, logger_};
  std::unique_ptr<StreamListener> listener_;
};

// Sends `bytes` and expects exactly `answer`; the server has to keep the connection open for it.
template <class Client>
asio::awaitable<void> expect_answer(Client& client, std::string_view bytes, std::string_view answer) {
  co_await asio::async_write(client, asio::buffer(bytes), use_awaitable);
  std::string got(answer.size(), '\0');
  co_await asio::async_read(client, asio::buffer(got), use_awaitable);
  EXPECT_EQ(got, answer);
}

// Sends `bytes` and returns what came until the server closed.
asio::awaitable<void> exchange(tcp::socket& client, std::string_view bytes, std::string& got) {
  co_await asio::async_write(client, asio::buffer(bytes), use_awaitable);
  const auto [error, count] = co_await asio::async_read(client, asio::dynamic_buffer(got), kAwait);
  EXPECT_TRUE(error == asio::error::eof || error == asio::error::connection_reset) << error.message();
}

asio::awaitable<void> expect_tls_answer(TlsClient& client, std::string_view bytes, std::string_view answer) {
  co_await client.async_handshake(TlsClient::client, use_awaitable);
  co_await expect_answer(client, bytes, answer);
}

TEST_F(StreamListenerTest, the_first_octet_chooses_the_protocol) {
  listen(false);
  tcp::socket turn = connect();
  tcp::socket http = connect();
  run(io_, expect_answer(turn, kStun, "turn"), expect_answer(http, "GET", "http"));
  ASSERT_EQ(served_.size(), 2U);
  EXPECT_EQ(served_[0].first, "turn:" + std::string(kStun));
  EXPECT_EQ(served_[1].first, "http:GET");
  EXPECT_EQ(served_[0].facts.remote.port, turn.local_endpoint().port());
  EXPECT_EQ(served_[0].facts.local, listener_->local_endpoint());
  EXPECT_FALSE(served_[0].facts.is_tls);
  EXPECT_EQ(listener_->sessions(), 2U);
  EXPECT_EQ(admission_.connections().open(), 2U);
}

TEST_F(StreamListenerTest, anything_else_is_closed) {
  listen(false);
  for (const std::string_view bytes : {"\x16\x03\x01", "\x40\x00\x00\x04", "\xff", "5", "{"}) {
    tcp::socket client = connect();
    std::string got;
    run(io_, exchange(client, bytes, got));
    EXPECT_EQ(got, "");
  }
  EXPECT_EQ(listener_->counters().unknown_protocol, 5U);
  EXPECT_TRUE(served_.empty());
}

TEST_F(StreamListenerTest, a_service_that_the_listener_does_not_have_is_closed) {
  listener_ = std::make_unique<StreamListener>(io_.get_executor(),
                                               StreamListenerOptions{{*IpAddress::parse("127.0.0.1"), 0}, nullptr},
                                               StreamHandlers{handler("turn"), {}}, admission_, logger_);
  listener_->start();
  tcp::socket client = connect();
  std::string got;
  run(io_, exchange(client, "GET / HTTP/1.1\r\n\r\n", got));
  EXPECT_EQ(got, "");
}

TEST_F(StreamListenerTest, tls_carries_both_protocols) {
  listen(true);
  TlsClient turn(connect(), client_context_);
  TlsClient http(connect(), client_context_);
  run(io_, expect_tls_answer(turn, kStun, "turn"), expect_tls_answer(http, "GET", "http"));
  ASSERT_EQ(served_.size(), 2U);
  EXPECT_TRUE(served_[0].facts.is_tls);
  EXPECT_TRUE(served_[1].facts.is_tls);
}

TEST_F(StreamListenerTest, a_tls_port_takes_plain_turn_and_explains_itself_to_plain_http) {
  listen(true);
  tcp::socket turn = connect();
  run(io_, expect_answer(turn, kStun, "turn"));
  EXPECT_FALSE(served_.at(0).facts.is_tls);

  tcp::socket http = connect();
  std::string got;
  run(io_, exchange(http, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", got));
  EXPECT_THAT(got, HasSubstr("HTTP/1.1 400"));
  const std::size_t body = got.find("\r\n\r\n") + 4;
  EXPECT_THAT(got, HasSubstr("Content-Length: " + std::to_string(got.size() - body) + "\r\n"));
  EXPECT_THAT(got, HasSubstr("HTTPS"));
  EXPECT_EQ(listener_->counters().http_on_tls_port, 1U);
}

TEST_F(StreamListenerTest, a_tls_port_that_is_encrypted_only_closes_plain_turn) {
  listen(true, "127.0.0.1", {}, true);
  tcp::socket plain = connect();
  std::string got;
  run(io_, exchange(plain, kStun, got));
  EXPECT_EQ(got, "");
  EXPECT_EQ(listener_->counters().plain_turn_refused, 1U);
  TlsClient turn(connect(), client_context_);
  run(io_, expect_tls_answer(turn, kStun, "turn"));
  EXPECT_EQ(served_.size(), 1U);
}

TEST_F(StreamListenerTest, a_broken_handshake_is_counted) {
  listen(true);
  tcp::socket client = connect();
  std::string got;
  run(io_, exchange(client, std::string(200, '\x16'), got));
  EXPECT_EQ(listener_->counters().tls_handshakes_failed, 1U);
}

TEST_F(StreamListenerTest, a_client_that_says_nothing_is_counted) {
  listen(false);
  connect().close();
  while (listener_->counters().first_octet_missing == 0)
    io_.run_one();
  EXPECT_EQ(listener_->counters().accepted, 1U);
}

TEST_F(StreamListenerTest, stop_ends_every_session_in_whatever_state) {
  listen(true);
  tcp::socket silent = connect();
  tcp::socket in_handshake = connect();
  asio::write(in_handshake, asio::buffer("\x16\x03\x01", 3));
  tcp::socket turn = connect();
  run(io_, expect_answer(turn, kStun, "turn"));
  while (listener_->sessions() < 3)
    io_.run_one();
  listener_->stop();
  run_out(io_);
  EXPECT_EQ(listener_->sessions(), 0U);
  EXPECT_EQ(admission_.connections().open(), 0U);
  listener_->stop();
  EXPECT_EQ(log_.str(), "");
}

TEST_F(StreamListenerTest, sessions_outlive_the_listener_object) {
  listen(false);
  tcp::socket turn = connect();
  run(io_, expect_answer(turn, kStun, "turn"));
  listener_.reset();
  run_out(io_);
  EXPECT_EQ(admission_.connections().open(), 0U);
}

asio::awaitable<void> throw_fault(Stream) {
  throw std::runtime_error("a fault");
  co_return;
}

TEST_F(StreamListenerTest, a_fault_in_one_session_is_logged_and_ends_it_alone) {
  const auto fault = [](Stream stream, std::vector<std::uint8_t>, ConnectionFacts) {
    return throw_fault(std::move(stream));
  };
  listener_ = std::make_unique<StreamListener>(io_.get_executor(),
                                               StreamListenerOptions{{*IpAddress::parse("127.0.0.1"), 0}, nullptr},
                                               StreamHandlers{fault, handler("http")}, admission_, logger_);
  listener_->start();
  tcp::socket client = connect();
  std::string got;
  run(io_, exchange(client, kStun, got));
  EXPECT_THAT(log_.str(), HasSubstr("ended: a fault"));
  tcp::socket other = connect();
  run(io_, expect_answer(other, "GET", "http"));
}

TEST_F(StreamListenerTest, the_ipv6_wildcard_takes_ipv4_clients) {
  listen(false, "::");
  tcp::socket client = connect();
  run(io_, expect_answer(client, kStun, "turn"));
  EXPECT_EQ(served_.at(0).facts.remote.address.to_string(), "127.0.0.1");
  EXPECT_EQ(served_.at(0).facts.local.address.to_string(), "127.0.0.1");
}

TEST_F(StreamListenerTest, a_client_that_was_reset_before_it_is_accepted_has_no_address) {
  listen(false, "127.0.0.1", {*Prefix::parse("127.0.0.2/32")});
  tcp::socket reset = connect();
  reset.set_option(tcp::socket::linger(true, 0));
  reset.close();
  tcp::socket stranger = connect();
  std::string got;
  run(io_, exchange(stranger, kStun, got));
  EXPECT_EQ(listener_->counters().not_from_a_proxy, 1U);
  EXPECT_THAT(log_.str(), Not(HasSubstr("0.0.0.0")));
}

const std::vector<Prefix> kLoopbackProxy{*Prefix::parse("127.0.0.0/8")};
constexpr std::string_view kProxyLine = "PROXY TCP4 192.0.2.1 198.51.100.2 55813 443\r\n";

TEST_F(StreamListenerTest, behind_a_proxy_the_addresses_are_those_that_it_reports) {
  listen(false, "::", kLoopbackProxy);
  tcp::socket turn = connect();
  run(io_, expect_answer(turn, std::string(kProxyLine).append(kStun), "turn"));
  EXPECT_EQ(served_.at(0).first, "turn:" + std::string(kStun));
  EXPECT_EQ(served_.at(0).facts.remote.to_string(), "192.0.2.1:55813");
  EXPECT_EQ(served_.at(0).facts.local.to_string(), "198.51.100.2:443");
}

TEST_F(StreamListenerTest, a_proxy_that_speaks_for_itself_keeps_its_address) {
  listen(false, "127.0.0.1", kLoopbackProxy);
  tcp::socket http = connect();
  run(io_, expect_answer(http, "PROXY UNKNOWN\r\nGET", "http"));
  EXPECT_EQ(served_.at(0).facts.remote.port, http.local_endpoint().port());
  EXPECT_EQ(served_.at(0).facts.local, listener_->local_endpoint());
}

asio::awaitable<void> expect_tls_answer_behind_a_header(TlsClient& client, std::string_view header) {
  co_await asio::async_write(client.next_layer(), asio::buffer(header), use_awaitable);
  co_await expect_tls_answer(client, kStun, "turn");
}

TEST_F(StreamListenerTest, the_header_of_a_proxy_stands_in_front_of_tls) {
  listen(true, "127.0.0.1", kLoopbackProxy);
  TlsClient turn(connect(), client_context_);
  run(io_, expect_tls_answer_behind_a_header(turn, kProxyLine));
  EXPECT_TRUE(served_.at(0).facts.is_tls);
  EXPECT_EQ(served_.at(0).facts.remote.to_string(), "192.0.2.1:55813");
}

TEST_F(StreamListenerTest, behind_a_proxy_a_connection_without_a_header_is_closed) {
  listen(false, "127.0.0.1", kLoopbackProxy);
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 192.0.2.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n"}) {
    tcp::socket client = connect();
    std::string got;
    run(io_, exchange(client, bytes, got));
    EXPECT_EQ(got, "");
  }
  EXPECT_EQ(listener_->counters().proxy_header_malformed, 3U);
  EXPECT_THAT(log_.str(), HasSubstr("does not begin with a PROXY protocol header"));
  EXPECT_THAT(log_.str(), Not(HasSubstr("malformed"))) << "one line a minute is enough";
  EXPECT_TRUE(served_.empty());
  tcp::socket broken_off = connect();
  asio::write(broken_off, asio::buffer("PROXY ", 6));
  broken_off.close();
  while (listener_->counters().proxy_header_missing == 0)
    io_.run_one();
}

TEST_F(StreamListenerTest, behind_a_proxy_nobody_else_may_connect) {
  listen(false, "127.0.0.1", {*Prefix::parse("127.0.0.2/32"), *Prefix::parse("::1/128")});
  tcp::socket client = connect();
  std::string got;
  run(io_, exchange(client, kProxyLine, got));
  EXPECT_EQ(got, "");
  EXPECT_EQ(listener_->counters().not_from_a_proxy, 1U);
  EXPECT_EQ(listener_->counters().accepted, 0U);
  EXPECT_THAT(log_.str(), HasSubstr("127.0.0.1 was closed"));
}

std::string listen_problem(asio::io_context& io, const Endpoint& endpoint, StreamAdmission& admission, Logger logger) {
  try {
    const StreamListener listener(io.get_executor(), {endpoint, nullptr}, {}, admission, std::move(logger));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(StreamListenerTest, a_port_that_is_taken_is_a_sentence) {
  const Endpoint taken = listen(false).local_endpoint();
  const std::string problem = listen_problem(io_, taken, admission_, logger_);
  EXPECT_THAT(problem, HasSubstr("Cannot listen on tcp " + taken.to_string()));
  EXPECT_THAT(problem, HasSubstr("another program has this port"));
}

TEST_F(StreamListenerTest, an_address_of_another_machine_is_a_sentence) {
  EXPECT_THAT(listen_problem(io_, {*IpAddress::parse("192.0.2.254"), 0}, admission_, logger_),
              HasSubstr("this machine does not have that address"));
}

}  // namespace
}  // namespace causeway::net
