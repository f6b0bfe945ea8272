// SPDX-License-Identifier: Apache-2.0
// HTTP and WebSocket on real sockets: Service, SignalingService and a listener on loopback, Beast as the client.
#include "http/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <csignal>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "http/signaling_service.hpp"
#include "loop.hpp"
#include "net/system_random.hpp"

namespace causeway::http {
namespace {

namespace websocket = boost::beast::websocket;
using asio::use_awaitable;
using net::kAwait;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using WebSocket = websocket::stream<tcp::socket>;
using Texts = std::vector<std::string>;

constexpr std::string_view kUpgrade =
    "GET /ws?room=blue HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

class NoIceServers : public signaling::IceServers {
 public:
  signaling::IceServerList for_member(const signaling::IceServersRequest& request, Now) override {
    host = request.host;
    return {};
  }
  std::string host;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options_.message_bytes_max = 1000;
  }

  void start() {
    signaling_ = std::make_unique<SignalingService>(io_.get_executor(), hub_, options_, logger_);
    service_ = std::make_unique<Service>(StaticFiles(web_assets()), *signaling_, proxies_, logger_);
    service_->set_ready(true);
    auto serve = [this](net::Stream stream, std::vector<std::uint8_t> first_bytes, net::ConnectionFacts facts) {
      return service_->serve(std::move(stream), std::move(first_bytes), facts);
    };
    listener_ = std::make_unique<net::StreamListener>(
        io_.get_executor(), net::StreamListenerOptions{{*IpAddress::parse("127.0.0.1"), 0}, nullptr},
        net::StreamHandlers{{}, serve}, admission_, logger_);
    listener_->start();
  }

  // Sessions refer to the services: they end first.
  ~ServiceTest() override {
    if (listener_) listener_->stop();
    while (admission_.connections().open() > 0)
      io_.run_one();
  }

  tcp::socket connect() {
    tcp::socket socket(io_);
    socket.connect({asio::ip::address_v4::loopback(), listener_->local_endpoint().port});
    return socket;
  }

  // Sends `request` and returns all that comes until the server closes.
  std::string exchange(std::string_view request) {
    tcp::socket client = connect();
    std::string got;
    run(io_, talk(client, request, got));
    return got;
  }

  static asio::awaitable<void> talk(tcp::socket& client, std::string_view request, std::string& got) {
    co_await asio::async_write(client, asio::buffer(request), use_awaitable);
    const auto [error, bytes] = co_await asio::async_read(client, asio::dynamic_buffer(got), kAwait);
    EXPECT_EQ(error, asio::error::eof) << error.message();
  }

  std::unique_ptr<WebSocket> open(std::string target, std::string subprotocol = "") {
    auto socket = std::make_unique<WebSocket>(connect());
    run(io_, handshake(*socket, std::move(target), std::move(subprotocol)));
    return socket;
  }

  asio::awaitable<void> handshake(WebSocket& socket, std::string target, std::string subprotocol) {
    if (!subprotocol.empty()) {
      socket.set_option(websocket::stream_base::decorator([subprotocol](websocket::request_type& request) {
        request.set(boost::beast::http::field::sec_websocket_protocol, subprotocol);
      }));
    }
    const auto [error] = co_await socket.async_handshake(response_, "localhost:80", target, kAwait);
    EXPECT_FALSE(error) << error.message();
  }

  // A new member of `room`, past its welcome and its joined.
  std::unique_ptr<WebSocket> join(const std::string& room) {
    auto socket = open("/ws");
    run(io_, say(*socket, R"({"type":"join","room":")" + room + R"("})"));
    Texts texts;
    run(io_, hear(*socket, 2, texts));
    EXPECT_THAT(texts, ElementsAre(StartsWith(R"({"type":"welcome")"), StartsWith(R"({"type":"joined")")));
    return socket;
  }

  static asio::awaitable<void> say(WebSocket& socket, std::string text) {
    co_await socket.async_write(asio::buffer(text), use_awaitable);
  }

  // The server may close in between.
  static asio::awaitable<void> try_to_say(WebSocket& socket, std::string text) {
    co_await socket.async_write(asio::buffer(text), kAwait);
  }

  static asio::awaitable<void> say_binary(WebSocket& socket, std::string bytes) {
    socket.binary(true);
    co_await socket.async_write(asio::buffer(bytes), use_awaitable);
  }

  static asio::awaitable<void> hear(WebSocket& socket, std::size_t count, Texts& texts) {
    for (; count > 0; --count) {
      boost::beast::flat_buffer buffer;
      co_await socket.async_read(buffer, use_awaitable);
      texts.emplace_back(static_cast<const char*>(buffer.data().data()), buffer.size());
    }
  }

  // Until the server closes.
  static asio::awaitable<void> hear_out(WebSocket& socket, Texts& texts) {
    for (;;) {
      boost::beast::flat_buffer buffer;
      const auto [error, bytes] = co_await socket.async_read(buffer, kAwait);
      if (error) {
        EXPECT_EQ(error, websocket::error::closed) << error.message();
        co_return;
      }
      texts.emplace_back(static_cast<const char*>(buffer.data().data()), buffer.size());
    }
  }

  static asio::awaitable<void> close(WebSocket& socket) {
    co_await socket.async_close(websocket::close_code::normal, use_awaitable);
  }

  // Runs the loop until `condition` holds, and returns the seconds since the start of the test, rounded up: what a rate
  // of one a second has granted meanwhile.
  template <class Condition>
  std::uint64_t elapsed_until(Condition condition) {
    while (!condition() && io_.run_one_for(std::chrono::seconds{30}) > 0) {
    }
    EXPECT_TRUE(condition());
    const auto elapsed = std::chrono::steady_clock::now() - began_;
    return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(elapsed).count());
  }
  // Beast reads 1536 octets ahead.
  static constexpr std::uint64_t kMessagesInOneRead = 3;
  static constexpr std::uint64_t kPingsInOneRead = 12;

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::ostringstream log_;
  Logger logger_ = std::make_shared<spdlog::logger>("http", std::make_shared<spdlog::sinks::ostream_sink_st>(log_));
  asio::io_context io_{1};
  NoIceServers ice_servers_;
  net::SystemRandom random_;
  signaling::NoAccessTokens tokens_;
  signaling::Hub hub_{{}, ice_servers_, tokens_, random_};
  SignalingServiceOptions options_;
  TrustedProxies proxies_;
  net::StreamAdmission admission_{io_.get_executor(), {.connections = {.connections_max = 100}}, 1, logger_};
  websocket::response_type response_;
  std::unique_ptr<SignalingService> signaling_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<net::StreamListener> listener_;
};

// --- HTTP ---

TEST_F(ServiceTest, answers_pipelined_requests_in_order) {
  start();
  const std::string got = exchange(
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      "HEAD /r/a HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t first = got.find("HTTP/1.1 200 OK");
  const std::size_t second = got.find("HTTP/1.1 200 OK", first + 1);
  const std::size_t third = got.find("HTTP/1.1 404 Not Found");
  ASSERT_NE(third, std::string::npos);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_THAT(got.substr(second, third - second), AllOf(HasSubstr("Content-Length: "), Not(HasSubstr("<!doctype"))));
  EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServiceTest, http_1_0_gets_one_answer) {
  start();
  EXPECT_THAT(exchange("GET / HTTP/1.0\r\nHost: x\r\n\r\n"), HasSubstr("<!doctype html>"));
}

TEST_F(ServiceTest, what_is_no_request_gets_a_sentence) {
  start();
  EXPECT_THAT(exchange("hello\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("not a valid HTTP/1.1 request")));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 431"), HasSubstr("8 KiB")));
}

// A body that is not understood is not the next request, either: it would have a sender of its own choice.
TEST_F(ServiceTest, the_connection_ends_with_a_request_whose_end_is_unknown) {
  proxies_.prefixes = {*Prefix::parse("127.0.0.1")};
  start();
  const std::string smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n";
  for (const std::string coding : {"gzip", "gzip, chunked", "identity", "chunked, identity", "x"}) {
    const std::string got =
        exchange("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + "\r\n\r\n" + smuggled);
    EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 501"), HasSubstr("Connection: close"), Not(HasSubstr("200 OK"))));
  }
  for (const std::string body : {"Content-Length: 300", "Transfer-Encoding: chunked"}) {
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: x\r\n" + body + "\r\n\r\n" + smuggled),
                AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("Connection: close"), Not(HasSubstr("200 OK"))));
  }
}

TEST_F(ServiceTest, a_refused_body_does_not_swallow_the_answer) {
  start();
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x')),
              StartsWith("HTTP/1.1 413"));
}

std::string upgrade_with(std::string_view header) {
  std::string request{kUpgrade};
  return request.insert(request.size() - 2, std::string(header) + "\r\n");
}

TEST_F(ServiceTest, the_client_behind_a_trusted_proxy_is_who_counts) {
  proxies_.prefixes = {*Prefix::parse("127.0.0.1")};
  start();
  tcp::socket client = connect();
  asio::write(client, asio::buffer(upgrade_with("X-Forwarded-For: 198.51.100.1, 203.0.113.7")));
  elapsed_until([this] { return hub_.sessions() == 1; });
  client.close();
  elapsed_until([this] { return hub_.sessions() == 0; });
  EXPECT_THAT(log_.str(), HasSubstr("session 1 from 203.0.113.7 through 127.0.0.1:"));
}

TEST_F(ServiceTest, what_a_proxy_says_in_a_wrong_way_is_told_once) {
  proxies_.prefixes = {*Prefix::parse("127.0.0.0/8")};
  start();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(exchange("GET /healthz HTTP/1.0\r\nHost: x\r\nX-Forwarded-For: 203.0.113.777\r\n\r\n"),
                StartsWith("HTTP/1.1 200"));
  }
  EXPECT_EQ(service_->counters().forwarded_malformed, 2U);
  const std::string log = log_.str();
  const std::size_t said = log.find("let it write X-Forwarded-For");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(log.find("let it write", said + 1), std::string::npos);
}

TEST_F(ServiceTest, who_is_not_trusted_is_not_believed) {
  start();
  exchange("GET /healthz HTTP/1.0\r\nHost: x\r\nForwarded: for=203.0.113.7\r\n\r\n");
  EXPECT_EQ(service_->counters().forwarded_ignored, 1U);
  EXPECT_THAT(log_.str(), HasSubstr("a request of 127.0.0.1 says that it was forwarded"));
}

TEST_F(ServiceTest, frames_before_the_upgrade_is_answered_are_refused) {
  start();
  EXPECT_THAT(exchange(std::string(kUpgrade) + "early"), StartsWith("HTTP/1.1 400"));
}

// --- WebSocket ---

TEST_F(ServiceTest, the_subprotocol_is_accepted_when_offered) {
  start();
  open("/ws", "other, causeway.v1");
  EXPECT_EQ(response_[boost::beast::http::field::sec_websocket_protocol], "causeway.v1");
  open("/ws", "other");
  EXPECT_EQ(response_.count(boost::beast::http::field::sec_websocket_protocol), 0U);
  open("/ws");
  EXPECT_EQ(response_.count(boost::beast::http::field::sec_websocket_protocol), 0U);
}

TEST_F(ServiceTest, messages_go_to_the_others_in_the_room) {
  start();
  auto ada = join("blue");
  EXPECT_EQ(ice_servers_.host, "localhost");
  auto bob = open("/ws?room=blue");
  Texts texts;
  run(io_, hear(*ada, 1, texts));
  run(io_, say(*bob, R"({"type":"offer","sdp":"v=0"})"));
  run(io_, hear(*ada, 1, texts));
  EXPECT_THAT(texts, ElementsAre(HasSubstr("member-joined"), AllOf(HasSubstr(R"("sdp":"v=0")"), HasSubstr("from"))));
  run(io_, close(*bob));
  run(io_, hear(*ada, 1, texts));
  EXPECT_THAT(texts.back(), AllOf(HasSubstr("member-left"), HasSubstr(R"("reason":"left")")));
  EXPECT_EQ(signaling_->sessions(), 1U);
  EXPECT_EQ(signaling_->counters().messages_sent, 5U);  // welcome, joined, member-joined, offer, member-left
}

TEST_F(ServiceTest, a_broken_connection_is_a_lost_member) {
  start();
  auto ada = join("blue");
  auto bob = open("/ws?room=blue");  // as a plain client, for which no place is kept
  Texts texts;
  run(io_, hear(*ada, 1, texts));
  bob->next_layer().close();
  run(io_, hear(*ada, 1, texts));
  EXPECT_THAT(texts.back(), AllOf(HasSubstr("member-left"), HasSubstr(R"("reason":"lost")")));
}

TEST_F(ServiceTest, the_greatest_message_passes_and_one_byte_more_does_not) {
  start();
  const auto message = [](std::size_t bytes) {
    const std::string frame = R"({"type":"message","data":""})";
    return R"({"type":"message","data":")" + std::string(bytes - frame.size(), 'x') + R"("})";
  };
  auto ada = join("blue");
  auto bob = open("/ws?room=blue");
  run(io_, say(*ada, message(1000)));
  Texts texts;
  run(io_, say(*ada, R"({"type":"ping"})"));
  run(io_, hear(*ada, 2, texts));
  EXPECT_THAT(texts, ElementsAre(HasSubstr("member-joined"), HasSubstr("pong")));

  texts.clear();
  run(io_, say(*ada, message(1001)), hear_out(*ada, texts));
  EXPECT_EQ(ada->reason().code, 1009);
  EXPECT_THAT(texts, ElementsAre(AllOf(HasSubstr("bye"), HasSubstr("too-big"))));
}

TEST_F(ServiceTest, an_endless_message_is_cut_off_before_it_ends) {
  start();
  auto ada = join("blue");
  ada->auto_fragment(true);
  Texts texts;
  run(io_, try_to_say(*ada, std::string(5'000'000, 'x')), hear_out(*ada, texts));
  EXPECT_EQ(ada->reason().code, 1009);
}

TEST_F(ServiceTest, binary_is_refused) {
  start();
  auto ada = join("blue");
  Texts texts;
  run(io_, say_binary(*ada, "abc"), hear_out(*ada, texts));
  EXPECT_EQ(ada->reason().code, 1003);
  EXPECT_THAT(texts, ElementsAre(HasSubstr("not-text")));
}

TEST_F(ServiceTest, what_is_not_utf_8_is_refused) {
  start();
  auto ada = join("blue");
  Texts texts;
  // The client's own check is passed by: binary as a type, text on the wire cannot be made with Beast.
  const std::string frame{"\x81\x82\x00\x00\x00\x00\xc3\x28", 8};  // RFC 6455 §5.2, masked with zeros
  asio::write(ada->next_layer(), asio::buffer(frame));
  run(io_, hear_out(*ada, texts));
  EXPECT_EQ(ada->reason().code, 1007);
}

TEST_F(ServiceTest, what_is_not_json_is_refused) {
  start();
  auto ada = join("blue");
  Texts texts;
  run(io_, say(*ada, "hello"), hear_out(*ada, texts));
  EXPECT_EQ(ada->reason().code, 1007);
  EXPECT_THAT(texts, ElementsAre(HasSubstr("not-json"), HasSubstr("bye")));
}

asio::awaitable<void> say_often(WebSocket& socket, const std::string& text, std::size_t count) {
  for (; count > 0; --count)
    co_await socket.async_write(asio::buffer(text), use_awaitable);
}

TEST_F(ServiceTest, a_reader_that_is_too_slow_is_let_go_with_a_bye) {
  options_.message_bytes_max = 200'000;
  options_.outbound_bytes_max = 400'000;
  start();
  auto ada = join("blue");
  auto bob = join("blue");
  Texts texts;
  run(io_, hear(*ada, 1, texts));
  // More than the kernel buffers for a connection on loopback, and Bob does not read.
  const std::string text = R"({"type":"message","data":")" + std::string(150'000, 'x') + R"("})";
  run(io_, say_often(*ada, text, 100));
  Texts bobs;
  run(io_, hear_out(*bob, bobs));
  EXPECT_EQ(bob->reason().code, signaling::websocket_close_code(signaling::CloseReason::kSlowReader));
  EXPECT_THAT(bobs.back(), AllOf(HasSubstr(R"("action":"resume")"), HasSubstr("slow-reader")));
  EXPECT_LT(bobs.size(), 100U);
}

// --- floods ---

TEST_F(ServiceTest, a_flood_of_messages_is_read_no_faster_than_the_limit) {
  options_.rates.messages = {1, std::chrono::seconds{20}};
  start();
  auto ada = join("blue");
  const std::string text = R"({"type":"ping","pad":")" + std::string(500, 'x') + R"("})";
  run(io_, say_often(*ada, text, 100));
  const auto elapsed = elapsed_until([this] { return signaling_->counters().pauses > 0; });
  EXPECT_LE(signaling_->counters().messages_received, 20 + elapsed + kMessagesInOneRead);
  EXPECT_GE(signaling_->counters().messages_received, 20U);
}

TEST_F(ServiceTest, a_flood_of_pings_is_one_too) {
  options_.rates.messages = {1, std::chrono::seconds{20}};
  start();
  auto ada = join("blue");
  std::string pings;
  for (int i = 0; i < 100; ++i)
    pings += std::string("\x89\xfd\0\0\0\0", 6) + std::string(125, 'x');  // RFC 6455 §5.5.2, masked with zeros
  asio::write(ada->next_layer(), asio::buffer(pings));
  const auto elapsed = elapsed_until([this] { return signaling_->counters().pauses > 0; });
  EXPECT_LE(signaling_->counters().control_frames_received, 20 + elapsed + kPingsInOneRead);
  EXPECT_GE(signaling_->counters().control_frames_received, 19U);  // and the message that has joined
}

TEST_F(ServiceTest, a_flood_of_empty_fragments_takes_bytes) {
  options_.rates.bytes = {1000, std::chrono::seconds{2}};
  start();
  auto ada = join("blue");
  std::string fragments("\x01\x80\0\0\0\0", 6);  // RFC 6455 §5.4
  for (int i = 0; i < 1000; ++i)
    fragments += std::string("\0\x80\0\0\0\0", 6);
  asio::write(ada->next_layer(), asio::buffer(fragments));
  elapsed_until([this] { return signaling_->counters().pauses > 0; });
  EXPECT_EQ(signaling_->counters().messages_received, 1U);
}

TEST_F(ServiceTest, what_comes_too_fast_comes_later) {
  options_.rates = {{50, std::chrono::milliseconds{20}}, {1'000'000, std::chrono::milliseconds{1}}};
  start();
  auto ada = join("blue");
  Texts texts;
  run(io_, say_often(*ada, R"({"type":"ping"})", 60), hear(*ada, 60, texts));
  EXPECT_EQ(texts.size(), 60U);
  EXPECT_GT(signaling_->counters().pauses, 0U);
  run(io_, close(*ada));
  while (signaling_->sessions() > 0)
    io_.run_one();
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("61 messages received, "), HasSubstr(" times for sending too fast")));
}

TEST_F(ServiceTest, who_is_not_read_is_not_silent) {
  options_.rates.messages = {1, std::chrono::seconds{1}};
  options_.silence_max = std::chrono::milliseconds{500};
  start();
  auto ada = join("blue");
  Texts texts;
  run(io_, say_often(*ada, R"({"type":"ping"})", 1), hear(*ada, 1, texts));
  EXPECT_GT(signaling_->counters().pauses, 0U);
  EXPECT_EQ(signaling_->counters().silent, 0U);
}

TEST_F(ServiceTest, a_session_that_is_not_read_ends_at_once) {
  options_.rates.messages = {1, std::chrono::seconds{2}};
  start();
  auto ada = join("blue");
  run(io_, say_often(*ada, R"({"type":"ping"})", 10));
  elapsed_until([this] { return signaling_->counters().pauses > 0; });
  listener_->stop();
  while (admission_.connections().open() > 0)
    io_.run_one();
  EXPECT_EQ(signaling_->sessions(), 0U);
}

TEST_F(ServiceTest, pings_and_gives_up_on_silence) {
  options_.ping = std::chrono::milliseconds(5);
  options_.silence_max = std::chrono::milliseconds(200);
  start();
  const std::string got = exchange(kUpgrade);  // a client that answers no ping
  EXPECT_THAT(got, AllOf(StartsWith("HTTP/1.1 101"), HasSubstr(std::string("\r\n\r\n\x89\0", 6))));
  EXPECT_EQ(signaling_->counters().silent, 1U);
}

TEST_F(ServiceTest, stop_says_goodbye_and_leaves_nothing_behind) {
  start();
  auto ada = join("blue");
  auto plain = open("/ws?room=red");
  Texts texts;
  Texts plain_texts;
  run(io_, signaling_->stop(), hear_out(*ada, texts), hear_out(*plain, plain_texts));
  EXPECT_THAT(texts, ElementsAre(AllOf(HasSubstr(R"("action":"rejoin")"), HasSubstr("going-away"))));
  EXPECT_EQ(ada->reason().code, 1001);
  EXPECT_EQ(plain->reason().code, 1001);
  EXPECT_EQ(signaling_->sessions(), 0U);
  listener_->stop();
  run_out(io_);
  EXPECT_EQ(admission_.connections().open(), 0U);
}

TEST_F(ServiceTest, stop_does_not_wait_for_ever) {
  start();
  auto ada = join("blue");  // never reads again, so it does not answer the close frame
  run(io_, signaling_->stop());
  listener_->stop();
  run_out(io_);
  EXPECT_EQ(signaling_->sessions(), 0U);
}

TEST_F(ServiceTest, the_listener_can_end_a_session_too) {
  start();
  auto ada = join("blue");
  listener_->stop();
  while (admission_.connections().open() > 0)
    io_.run_one();
  EXPECT_EQ(signaling_->sessions(), 0U);
  EXPECT_EQ(hub_.sessions(), 0U);
}

TEST_F(ServiceTest, a_session_ends_with_one_line_in_the_log) {
  start();
  auto ada = join("blue");
  run(io_, close(*ada));
  while (signaling_->sessions() > 0)
    io_.run_one();
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("session 1 from 127.0.0.1:"), HasSubstr("1 messages received, 2 sent"),
                                HasSubstr("closed by the client")));
}

}  // namespace
}  // namespace causeway::http
