// SPDX-License-Identifier: Apache-2.0
#include "net/tls_handshakes.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <csignal>
#include <list>
#include <memory>
#include <optional>

#include "loop.hpp"
#include "net/tls_context.hpp"
#include "tls_files.hpp"

namespace causeway::net {
namespace {

using asio::use_awaitable;
using TlsClient = asio::ssl::stream<tcp::socket>;

class TlsHandshakesTest : public testing::Test {
 protected:
  TlsHandshakesTest() { std::signal(SIGPIPE, SIG_IGN); }

  struct Connection {
    Connection(asio::io_context& io, asio::ssl::context& client_context) : Connection(SocketPair{io}, client_context) {}
    Connection(SocketPair pair, asio::ssl::context& client_context)
        : client(std::move(pair.client), client_context), server(std::move(pair.server)) {}
    TlsClient client;
    Stream server;
    std::optional<error_code> result{};
  };

  TlsHandshakes& pace(const HandshakeQueueOptions& options) {
    return handshakes_.emplace(io_.get_executor(), options, 1);
  }
  Connection& connect() { return connections_.emplace_back(io_, client_context_); }

  TlsFiles files_;
  std::shared_ptr<const TlsContext> context_ = std::make_shared<TlsContext>(files_.certificate(), files_.private_key());
  asio::ssl::context client_context_{asio::ssl::context::tls_client};
  asio::io_context io_{1};
  std::optional<TlsHandshakes> handshakes_;
  std::list<Connection> connections_;
  const IpAddress source_ = *IpAddress::parse("192.0.2.1");
};

asio::awaitable<void> accept(TlsHandshakes& handshakes, Stream& server, std::shared_ptr<const TlsContext> context,
                             IpAddress source, std::optional<error_code>& result) {
  result = co_await handshakes.perform(server, std::move(context), source);
}

asio::awaitable<void> handshake(TlsClient& client) {
  co_await client.async_handshake(TlsClient::client, use_awaitable);
}

TEST_F(TlsHandshakesTest, many_at_once_all_get_their_turn) {
  TlsHandshakes& handshakes = pace({.share_percent = 50});
  std::size_t running = 0;
  const auto ended = [&](const std::exception_ptr& exception) {
    EXPECT_FALSE(exception);
    --running;
  };
  for (int i = 0; i < 20; ++i) {
    Connection& connection = connect();
    running += 2;
    asio::co_spawn(io_, accept(handshakes, connection.server, context_, source_, connection.result), ended);
    asio::co_spawn(io_, handshake(connection.client), ended);
  }
  while (running > 0 && io_.run_one_for(std::chrono::seconds{30}) > 0) {
  }
  EXPECT_EQ(running, 0U);
  for (const Connection& connection : connections_)
    EXPECT_EQ(connection.result, error_code{});
  EXPECT_EQ(handshakes.queue().counters().begun, 20U);
  EXPECT_EQ(handshakes.queue().waiting(), 0U);
  EXPECT_GT(handshakes.queue().counters().busy, Duration::zero());
}

TEST_F(TlsHandshakesTest, one_too_many_is_refused) {
  TlsHandshakes& handshakes = pace({.waiting_max = 0});
  Connection& connection = connect();
  run(io_, accept(handshakes, connection.server, context_, source_, connection.result));
  EXPECT_EQ(connection.result, error_code{asio::error::no_buffer_space});
  EXPECT_EQ(handshakes.queue().counters().refused, 1U);
}

TEST_F(TlsHandshakesTest, one_that_is_cancelled_while_it_waits_leaves_the_queue_to_the_next) {
  TlsHandshakes& handshakes = pace({.share_percent = 1});
  Connection& first = connect();
  run(io_, accept(handshakes, first.server, context_, source_, first.result), handshake(first.client));

  // The pause after the first one: both wait.
  asio::cancellation_signal cancel;
  Connection& second = connect();
  Connection& third = connect();
  bool has_ended = false;
  asio::co_spawn(io_, accept(handshakes, second.server, context_, source_, second.result),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr&) { has_ended = true; }));
  io_.restart();
  for (int i = 0; i < 100 && handshakes.queue().waiting() == 0; ++i)
    io_.poll_one();
  cancel.emit(asio::cancellation_type::terminal);
  run(io_, accept(handshakes, third.server, context_, source_, third.result), handshake(third.client));
  EXPECT_TRUE(has_ended);
  EXPECT_EQ(third.result, error_code{});
  EXPECT_NE(second.result, error_code{});
  EXPECT_EQ(handshakes.queue().waiting(), 0U);
}

TEST_F(TlsHandshakesTest, a_stream_that_is_closed_while_it_waits_fails) {
  TlsHandshakes& handshakes = pace({.share_percent = 1});
  Connection& first = connect();
  run(io_, accept(handshakes, first.server, context_, source_, first.result), handshake(first.client));
  Connection& second = connect();
  second.server.close();
  run(io_, accept(handshakes, second.server, context_, source_, second.result));
  EXPECT_EQ(second.result, error_code{asio::error::operation_aborted});
}

// A client that comes back skips the signature, which is most of what a handshake costs.
TEST_F(TlsHandshakesTest, a_client_that_comes_back_resumes_its_session) {
  TlsHandshakes& handshakes = pace({});
  SSL_CTX_set_max_proto_version(client_context_.native_handle(), TLS1_2_VERSION);  // its ticket comes in the handshake
  Connection& first = connect();
  run(io_, accept(handshakes, first.server, context_, source_, first.result), handshake(first.client));
  SSL_SESSION* session = SSL_get1_session(first.client.native_handle());
  Connection& second = connect();
  SSL_set_session(second.client.native_handle(), session);
  SSL_SESSION_free(session);
  run(io_, accept(handshakes, second.server, context_, source_, second.result), handshake(second.client));
  EXPECT_EQ(SSL_session_reused(second.client.native_handle()), 1);
}

}  // namespace
}  // namespace causeway::net
