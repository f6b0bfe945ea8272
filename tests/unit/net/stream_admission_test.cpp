// SPDX-License-Identifier: Apache-2.0
// Who is let in by a StreamListener, who is closed for whom, and what the log says: clients at addresses of 127/8.
#include "net/stream_admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "loop.hpp"
#include "net/stream_listener.hpp"

namespace causeway::net {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kProxyOfClient = "PROXY TCP4 192.0.2.1 198.51.100.2 55813 443\r\n";

// What a session tells the test, and what the test tells it.
struct Sessions {
  std::vector<ConnectionPlace> begun;
  std::size_t ended = 0;
};

asio::awaitable<void> serve(Sessions& sessions, Stream stream, ConnectionFacts facts) {
  sessions.begun.push_back(facts.place);
  struct End {
    Sessions& sessions;
    ~End() { ++sessions.ended; }
  } const end{sessions};
  std::array<std::uint8_t, 64> octets{};
  for (;;) {
    const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(octets), kAwait);
    if (error) co_return;
  }
}

class StreamAdmissionTest : public testing::Test {
 protected:
  void listen(const ConnectionLimits& limits, std::vector<Prefix> proxies = {},
              std::vector<Prefix> trusted_proxies = {}) {
    admission_ = std::make_unique<StreamAdmission>(
        io_.get_executor(), StreamAdmissionOptions{limits, std::move(trusted_proxies)}, 1, logger_);
    const auto serve_session = [this](Stream stream, std::vector<std::uint8_t>, ConnectionFacts facts) {
      return serve(sessions_, std::move(stream), std::move(facts));
    };
    StreamListenerOptions options{{*IpAddress::parse("127.0.0.1"), 0}, nullptr, std::move(proxies)};
    listener_ = std::make_unique<StreamListener>(io_.get_executor(), options, StreamHandlers{serve_session, {}},
                                                 *admission_, logger_);
    listener_->start();
  }

  // Runs the loop until `condition` holds.
  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!condition() && io_.run_one_until(deadline) > 0) {
    }
    ASSERT_TRUE(condition());
  }

  // A client at `address` that has sent `bytes`.
  tcp::socket& connect(std::string_view address, std::string_view bytes = std::string_view{"\x00\x01", 2}) {
    tcp::socket& client = clients_.emplace_back(io_);
    client.open(tcp::v4());
    client.bind({asio::ip::make_address(address), 0});
    client.connect({asio::ip::address_v4::loopback(), listener_->local_endpoint().port});
    asio::write(client, asio::buffer(bytes));
    return client;
  }
  // The same, once its session has begun.
  ConnectionPlace join(std::string_view address) {
    const std::size_t before = sessions_.begun.size();
    connect(address);
    run_until([&] { return sessions_.begun.size() > before; });
    return sessions_.begun.back();
  }
  // The same, once it has been refused.
  void expect_refused(std::string_view address, Shortage shortage) {
    const auto refused = [&] {
      return admission_->connections().counters().refused.at(static_cast<std::size_t>(shortage));
    };
    const auto before = refused();
    connect(address);
    run_until([&] { return refused() > before; });
  }
  std::ptrdiff_t log_lines() const {
    const std::string text = log_.str();
    return std::count(text.begin(), text.end(), '\n');
  }

  ~StreamAdmissionTest() override {
    listener_->stop();
    run_out(io_);
    EXPECT_EQ(admission_->connections().open(), 0U);
  }

  static constexpr ConnectionLimits kPatient{16, 2, std::chrono::hours{1}};
  static constexpr ConnectionLimits kEvicting{16, 2, Duration::zero()};

  std::ostringstream log_;
  Logger logger_ = std::make_shared<spdlog::logger>("net", std::make_shared<spdlog::sinks::ostream_sink_st>(log_));
  Sessions sessions_;
  asio::io_context io_{1};
  std::unique_ptr<StreamAdmission> admission_;
  std::unique_ptr<StreamListener> listener_;
  std::vector<tcp::socket> clients_;
};

TEST_F(StreamAdmissionTest, one_source_takes_no_place_of_another_and_is_logged_once) {
  listen(kPatient);
  join("127.0.0.2");
  join("127.0.0.2");
  for (int i = 0; i < 5; ++i)
    expect_refused("127.0.0.2", Shortage::kSource);
  join("127.0.0.3");
  join("127.0.0.1");
  EXPECT_EQ(log_lines(), 1);
  EXPECT_THAT(log_.str(), HasSubstr("refused one from 127.0.0.2: too many unauthenticated connections"));
}

TEST_F(StreamAdmissionTest, the_oldest_of_a_source_is_closed_for_the_newest) {
  listen(kEvicting);
  for (int i = 0; i < 2; ++i)
    join("127.0.0.2");
  join("127.0.0.2");
  run_until([&] { return sessions_.ended == 1; });
  std::array<char, 1> octet{};
  error_code error;
  clients_.at(0).read_some(asio::buffer(octet), error);
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_EQ(admission_->connections().open(), 2U);
  EXPECT_THAT(log_.str(), HasSubstr("the oldest unauthenticated connection was closed for one from 127.0.0.2"));
}

TEST_F(StreamAdmissionTest, who_has_authenticated_stays_and_makes_room_for_neighbours) {
  listen(kPatient);
  for (int i = 0; i < 5; ++i)
    join("127.0.0.2").on_authenticated();
  join("127.0.0.2");
  join("127.0.0.2");
  expect_refused("127.0.0.2", Shortage::kSource);
  EXPECT_EQ(sessions_.ended, 0U);
  EXPECT_EQ(admission_->connections().open(), 7U);
}

TEST_F(StreamAdmissionTest, this_machine_is_served_while_strangers_have_all_other_places) {
  listen(kPatient);
  for (int i = 0; i < 14; ++i)
    join("127.0.0.2").on_authenticated();
  expect_refused("127.0.0.2", Shortage::kTotal);
  join("127.0.0.1");
  join("127.0.0.1");
  expect_refused("127.0.0.1", Shortage::kTotal);
}

TEST_F(StreamAdmissionTest, behind_a_proxy_connections_count_against_the_client) {
  listen(kPatient, {*Prefix::parse("127.0.0.0/8")});
  const std::string from_client = std::string(kProxyOfClient).append("\x00\x01", 2);
  connect("127.0.0.2", from_client);
  connect("127.0.0.2", from_client);
  run_until([&] { return sessions_.begun.size() == 2; });
  connect("127.0.0.2", from_client);
  run_until([&] { return admission_->connections().counters().refused[0] == 1; });
  connect("127.0.0.2", "PROXY TCP4 192.0.2.2 198.51.100.2 55813 443\r\n" + std::string("\x00\x01", 2));
  run_until([&] { return sessions_.begun.size() == 3; });
  EXPECT_THAT(log_.str(), HasSubstr("refused one from 192.0.2.1"));
}

TEST_F(StreamAdmissionTest, connections_of_a_trusted_proxy_count_against_nobody_until_it_names_a_client) {
  listen(kPatient, {}, {*Prefix::parse("127.0.0.2/32")});
  const IpAddress client = *IpAddress::parse("192.0.2.1");
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(join("127.0.0.2").identify(client));
  EXPECT_FALSE(join("127.0.0.2").identify(client));
  EXPECT_TRUE(join("127.0.0.2").identify(*IpAddress::parse("192.0.2.2")));
}

TEST_F(StreamAdmissionTest, a_default_place_is_nobodys) {
  listen(kPatient);
  const ConnectionPlace place;
  place.on_authenticated();
  EXPECT_TRUE(place.identify(*IpAddress::parse("192.0.2.1")));
  EXPECT_EQ(admission_->connections().counters().authenticated, 0U);
}

TEST_F(StreamAdmissionTest, a_place_of_a_connection_that_is_gone_has_no_effect) {
  listen(kPatient);
  const ConnectionPlace place = join("127.0.0.2");
  clients_.at(0).close();
  run_until([&] { return admission_->connections().open() == 0; });
  place.on_authenticated();
  EXPECT_EQ(admission_->connections().counters().authenticated, 0U);
}

}  // namespace
}  // namespace causeway::net
