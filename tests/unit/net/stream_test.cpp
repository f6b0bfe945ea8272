// SPDX-License-Identifier: Apache-2.0
// net::Stream against Asio's own sockets and TLS client, on loopback.
#include "net/stream.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "loop.hpp"
#include "net/tls_context.hpp"
#include "tls_files.hpp"

namespace causeway::net {
namespace {

using asio::use_awaitable;
using TlsClient = asio::ssl::stream<tcp::socket>;

std::vector<std::uint8_t> pattern(std::size_t bytes, std::uint8_t seed) {
  std::vector<std::uint8_t> out(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    out[i] = static_cast<std::uint8_t>(seed + i * 7 + (i >> 11));
  return out;
}

template <class AnyStream>
asio::awaitable<void> write_all(AnyStream& stream, std::vector<std::uint8_t> bytes) {
  co_await asio::async_write(stream, asio::buffer(bytes), use_awaitable);
}

template <class AnyStream>
asio::awaitable<void> expect_bytes(AnyStream& stream, std::vector<std::uint8_t> expected) {
  std::vector<std::uint8_t> got(expected.size());
  co_await asio::async_read(stream, asio::buffer(got), use_awaitable);
  EXPECT_TRUE(got == expected);
}

asio::awaitable<void> client_handshake(TlsClient& client) {
  co_await client.async_handshake(TlsClient::client, use_awaitable);
}

asio::awaitable<error_code> try_handshake(Stream& server, const TlsContext& context) {
  error_code error = server.start_tls(context);
  while (!error) {
    const auto needs = server.handshake_now(error);
    if (!needs) break;
    std::tie(error) = co_await server.next_layer().async_wait(*needs, kAwait);
  }
  co_return error;
}

asio::awaitable<void> server_handshake(Stream& server, const TlsContext& context) {
  const error_code error = co_await try_handshake(server, context);
  EXPECT_FALSE(error) << error.message();
}

asio::awaitable<void> expect_read_error(Stream& stream, error_code expected) {
  std::array<std::uint8_t, 16> buffer{};
  const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(buffer), kAwait);
  EXPECT_EQ(error, expected) << error.message();
  EXPECT_EQ(bytes, 0U);
}

asio::awaitable<void> expect_read_fails(Stream& stream) {
  std::array<std::uint8_t, 16> buffer{};
  const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(buffer), kAwait);
  EXPECT_TRUE(error);
  EXPECT_NE(error, asio::error::eof);
}

// Every test runs once over plain TCP and once over TLS.
class StreamTest : public testing::TestWithParam<bool> {
 protected:
  StreamTest() {
    std::signal(SIGPIPE, SIG_IGN);
    if (!GetParam()) return;
    TlsClient client(std::move(pair_.client), client_context_);
    tls_client_.emplace(std::move(client));
    run(io_, client_handshake(*tls_client_), server_handshake(server_, context_));
  }

  template <class Function>
  void with_client(Function function) {
    if (tls_client_) {
      function(*tls_client_);
    } else {
      function(pair_.client);
    }
  }

  tcp::socket& client_socket() { return tls_client_ ? tls_client_->next_layer() : pair_.client; }

  TlsFiles files_;
  TlsContext context_{files_.certificate(), files_.private_key()};
  asio::ssl::context client_context_{asio::ssl::context::tls_client};
  asio::io_context io_{1};
  SocketPair pair_{io_};
  Stream server_{std::move(pair_.server)};
  std::optional<TlsClient> tls_client_;
};

INSTANTIATE_TEST_SUITE_P(Transports, StreamTest, testing::Bool(),
                         [](const auto& transport) { return std::string(transport.param ? "Tls" : "Tcp"); });

TEST_P(StreamTest, knows_its_transport) {
  EXPECT_EQ(server_.is_tls(), GetParam());
  EXPECT_TRUE(server_.is_open());
  tcp::no_delay no_delay;
  server_.next_layer().get_option(no_delay);
  EXPECT_TRUE(no_delay.value());
}

TEST_P(StreamTest, carries_megabytes_both_ways_at_once) {
  const auto up = pattern(3'000'001, 1);
  const auto down = pattern(4'000'003, 9);
  with_client([&](auto& client) {
    run(io_, write_all(client, up), expect_bytes(client, down), expect_bytes(server_, up), write_all(server_, down));
  });
}

TEST_P(StreamTest, moves_between_operations) {
  with_client([&](auto& client) {
    run(io_, write_all(client, pattern(100, 3)), expect_bytes(server_, pattern(100, 3)));
    Stream moved = std::move(server_);
    run(io_, write_all(moved, pattern(70, 4)), expect_bytes(client, pattern(70, 4)));
  });
}

asio::awaitable<void> write_gathered(Stream& stream, std::size_t expected_bytes) {
  const std::array<std::uint8_t, 3> first{1, 2, 3};
  const std::array<std::uint8_t, 2> second{4, 5};
  const std::array<asio::const_buffer, 4> buffers{asio::buffer(first), asio::const_buffer{}, asio::buffer(second),
                                                  asio::const_buffer{}};
  const std::size_t bytes = co_await stream.async_write_some(buffers, use_awaitable);
  EXPECT_EQ(bytes, expected_bytes);
}

TEST_P(StreamTest, writes_small_buffers_together) {
  with_client([&](auto& client) { run(io_, write_gathered(server_, 5), expect_bytes(client, {1, 2, 3, 4, 5})); });
}

TEST_P(StreamTest, a_half_close_ends_one_direction) {
  server_.shutdown_send();
  with_client(
      [&](auto& client) { run(io_, write_all(client, pattern(50, 2)), expect_bytes(server_, pattern(50, 2))); });
}

TEST_P(StreamTest, the_peers_half_close_is_the_end_of_its_data) {
  with_client([&](auto& client) { run(io_, write_all(client, pattern(10, 2))); });
  client_socket().shutdown(tcp::socket::shutdown_send);
  run(io_, expect_bytes(server_, pattern(10, 2)));
  run(io_, expect_read_error(server_, asio::error::eof));
  with_client(
      [&](auto& client) { run(io_, write_all(server_, pattern(10, 4)), expect_bytes(client, pattern(10, 4))); });
}

asio::awaitable<void> expect_write_fails(Stream& stream) {
  const std::array<std::uint8_t, 2> octets{1, 2};
  const auto [error, bytes] = co_await stream.async_write_some(asio::buffer(octets), kAwait);
  EXPECT_TRUE(error);
  EXPECT_EQ(bytes, 0U);
}

TEST_P(StreamTest, a_reset_is_an_error_and_no_signal) {
  client_socket().set_option(asio::socket_base::linger(true, 0));
  client_socket().close();
  run(io_, expect_read_error(server_, asio::error::connection_reset));
  run(io_, expect_write_fails(server_));
}

asio::awaitable<void> close_it(Stream& stream) {
  stream.close();
  stream.close();
  co_return;
}

TEST_P(StreamTest, close_ends_a_read_that_waits) {
  run(io_, expect_read_error(server_, asio::error::operation_aborted), close_it(server_));
  EXPECT_FALSE(server_.is_open());
}

TEST_P(StreamTest, nothing_works_after_close) {
  server_.close();
  // The number of the descriptor goes to somebody else at once; nothing may reach them through the old stream.
  SocketPair other(io_);
  run(io_, expect_write_fails(server_));
  run(io_, expect_read_fails(server_));
  EXPECT_EQ(other.client.available(), 0U);
  EXPECT_EQ(other.server.available(), 0U);
}

asio::awaitable<void> emit(asio::cancellation_signal& signal, asio::cancellation_type type) {
  signal.emit(type);
  co_return;
}

asio::awaitable<void> expect_cancelled(Stream& stream, asio::cancellation_signal& signal) {
  std::array<std::uint8_t, 16> buffer{};
  const auto [error, bytes] =
      co_await stream.async_read_some(asio::buffer(buffer), asio::bind_cancellation_slot(signal.slot(), kAwait));
  EXPECT_EQ(error, asio::error::operation_aborted);
}

TEST_P(StreamTest, a_cancelled_read_loses_nothing) {
  asio::cancellation_signal signal;
  run(io_, expect_cancelled(server_, signal), emit(signal, asio::cancellation_type::total));
  with_client(
      [&](auto& client) { run(io_, write_all(client, pattern(99, 3)), expect_bytes(server_, pattern(99, 3))); });
}

// --- TLS only ---

struct TlsStreamTest : testing::Test {
  TlsStreamTest() { std::signal(SIGPIPE, SIG_IGN); }

  TlsFiles files;
  TlsContext context{files.certificate(), files.private_key()};
  asio::io_context io{1};
  SocketPair pair{io};
  Stream server{std::move(pair.server)};
};

asio::awaitable<void> expect_handshake_fails(Stream& server, const TlsContext& context) {
  const error_code error = co_await try_handshake(server, context);
  EXPECT_TRUE(error);
  EXPECT_FALSE(error.message().empty());
}

TEST_F(TlsStreamTest, garbage_fails_the_handshake) {
  asio::write(pair.client, asio::buffer(std::string(300, '\x16')));
  run(io, expect_handshake_fails(server, context));
  server.close();
}

TEST_F(TlsStreamTest, a_client_that_goes_away_fails_the_handshake) {
  pair.client.close();
  run(io, expect_handshake_fails(server, context));
}

TEST_F(TlsStreamTest, a_closed_stream_fails_the_handshake) {
  server.close();
  run(io, expect_handshake_fails(server, context));
}

TEST_F(TlsStreamTest, garbage_after_the_handshake_is_an_error) {
  asio::ssl::context client_context(asio::ssl::context::tls_client);
  TlsClient client(std::move(pair.client), client_context);
  run(io, client_handshake(client), server_handshake(server, context));
  asio::write(client.next_layer(), asio::buffer(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')));
  run(io, expect_read_fails(server));
}

asio::awaitable<void> client_fails_handshake(TlsClient& client) {
  const auto [error] = co_await client.async_handshake(TlsClient::client, kAwait);
  EXPECT_TRUE(error);
}

TEST_F(TlsStreamTest, refuses_tls_1_1) {
  asio::ssl::context client_context(asio::ssl::context::tls_client);
  SSL_CTX_set_security_level(client_context.native_handle(), 0);
  SSL_CTX_set_min_proto_version(client_context.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(client_context.native_handle(), TLS1_1_VERSION);
  TlsClient client(std::move(pair.client), client_context);
  run(io, client_fails_handshake(client), expect_handshake_fails(server, context));
}

TEST_F(TlsStreamTest, speaks_tls_1_2) {
  asio::ssl::context client_context(asio::ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(client_context.native_handle(), TLS1_2_VERSION);
  TlsClient client(std::move(pair.client), client_context);
  run(io, client_handshake(client), server_handshake(server, context));
  run(io, write_all(client, pattern(40'000, 1)), expect_bytes(server, pattern(40'000, 1)));
}

TEST_F(TlsStreamTest, a_key_update_in_the_middle_is_no_interruption) {
  asio::ssl::context client_context(asio::ssl::context::tls_client);
  TlsClient client(std::move(pair.client), client_context);
  run(io, client_handshake(client), server_handshake(server, context));
  ASSERT_EQ(SSL_key_update(client.native_handle(), SSL_KEY_UPDATE_REQUESTED), 1);
  run(io, write_all(client, pattern(500'000, 1)), expect_bytes(server, pattern(500'000, 1)),
      write_all(server, pattern(500'000, 2)), expect_bytes(client, pattern(500'000, 2)));
}

std::string chosen_protocol(asio::io_context& io, const TlsContext& context, std::string_view offered) {
  SocketPair pair(io);
  Stream server(std::move(pair.server));
  asio::ssl::context client_context(asio::ssl::context::tls_client);
  TlsClient client(std::move(pair.client), client_context);
  SSL_set_alpn_protos(client.native_handle(), reinterpret_cast<const unsigned char*>(offered.data()),
                      static_cast<unsigned int>(offered.size()));
  run(io, client_handshake(client), server_handshake(server, context));
  const unsigned char* chosen = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(client.native_handle(), &chosen, &length);
  return {reinterpret_cast<const char*>(chosen), length};
}

TEST_F(TlsStreamTest, alpn_chooses_what_it_knows_and_tolerates_the_rest) {
  EXPECT_EQ(chosen_protocol(io, context, "\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen_protocol(io, context, "\x09stun.turn"), "stun.turn");
  EXPECT_EQ(chosen_protocol(io, context, "\x12stun.nat-discovery"), "stun.nat-discovery");
  EXPECT_EQ(chosen_protocol(io, context, "\x02h2"), "");
}

}  // namespace
}  // namespace causeway::net
