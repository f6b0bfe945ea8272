// SPDX-License-Identifier: Apache-2.0
// Places for handshakes and sessions of DTLS: who wants all of them gets its share and takes nothing from others.
#include <string>
#include <vector>

#include "dtls_script.hpp"

using namespace causeway;
using namespace causeway::net;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

using Clients = std::vector<std::unique_ptr<DtlsClient>>;

class DtlsFairness : public testing::Test {
 protected:
  explicit DtlsFairness(const DtlsLimits& limits = {}) : script(limits) {}

  // A client whose cookie has been accepted; it goes no further.
  DtlsClient& begin(const Endpoint& from) {
    DtlsClient& client = *clients.emplace_back(std::make_unique<DtlsClient>(script, from));
    script.deliver(from, client.hello_with_cookie());
    return client;
  }
  DtlsClient& finish(const Endpoint& from) {
    DtlsClient& client = *clients.emplace_back(std::make_unique<DtlsClient>(script, from));
    client.exchange();
    return client;
  }

  DtlsScript script;
  Clients clients;
};

struct ThreeHandshakes : DtlsFairness {
  ThreeHandshakes() : DtlsFairness({.handshakes_max = 3, .sessions_max = 100}) {}
};

struct TwoSessions : DtlsFairness {
  TwoSessions() : DtlsFairness({.handshakes_max = 10, .sessions_max = 2}) {}
};

}  // namespace

TEST_F(ThreeHandshakes, ANewcomerGetsThePlaceOfTheOldestOfTheLargestNetwork) {
  DtlsClient& lone = begin(at("198.51.100.7", 1));
  DtlsClient& oldest = begin(at("2001:db8:0:100::1", 1));
  DtlsClient& next = begin(at("2001:db8:0:1ff::1", 1));  // the same /56
  begin(at("198.51.100.8", 1));
  EXPECT_EQ(script.endpoint.handshakes(), 3U);
  EXPECT_EQ(script.endpoint.clients(), 3U);
  EXPECT_EQ(script.endpoint.counters().handshakes_evicted, 1U);
  EXPECT_THAT(script.evicted, ElementsAre(oldest.from.address));
  oldest.exchange();
  EXPECT_FALSE(oldest.connected());
  lone.exchange();
  next.exchange();
  EXPECT_TRUE(lone.connected());
  EXPECT_TRUE(next.connected());
  EXPECT_THAT(script.ended, IsEmpty()) << "it had not been a client yet";
}

TEST_F(ThreeHandshakes, WhoIsEvictedStartsAnewWithTheSameCookie) {
  DtlsClient& first = begin(at("198.51.100.7", 1));
  for (std::uint16_t port = 2; port <= 4; ++port)
    begin(at("198.51.100.7", port));
  script.sent[first.from].clear();  // the flight that was for nothing
  script.advance(2s);
  first.retransmit();
  first.exchange();
  EXPECT_TRUE(first.connected());
}

TEST_F(ThreeHandshakes, AnEvictedHandshakeEndsNoSession) {
  DtlsClient& former = finish(at("198.51.100.7", 1));
  begin(former.from);  // the same client anew
  for (std::uint16_t port = 2; port <= 9; ++port)
    begin(at("198.51.100.7", port));
  EXPECT_EQ(script.endpoint.handshakes(), 3U);
  former.write("still valid");
  for (const Datagram& record : former.take_datagrams())
    script.deliver(former.from, record);
  EXPECT_THAT(script.messages, ElementsAre("still valid"));
}

// Eight addresses and an IPv6 /48 that renew their half-open handshakes without end.
TEST_F(DtlsFairness, FloodsOfHalfOpenHandshakesKeepNobodyOut) {
  constexpr std::size_t kFlood = 400;
  DtlsClient& early = begin(at("198.51.100.7", 1));
  for (std::uint16_t i = 0; i < kFlood; ++i) {
    const std::string number = std::to_string(i);
    begin(i % 2 == 0 ? at("192.0.2." + std::to_string(i % 16 + 20), i) : at("2001:db8:7:" + number + "::1", i));
  }
  EXPECT_EQ(script.endpoint.handshakes(), DtlsLimits{}.handshakes_max);
  DtlsClient& late = begin(at("2001:db8:8::1", 1));
  early.exchange();
  late.exchange();
  EXPECT_TRUE(early.connected());
  EXPECT_TRUE(late.connected());
}

TEST_F(DtlsFairness, TwoHundredUsersBehindOneAddressShakeHandsAtOnce) {
  for (std::uint16_t i = 1; i <= 200; ++i)
    begin(at("198.51.100.7", i));
  for (const auto& client : clients) {
    client->exchange();
    EXPECT_TRUE(client->connected());
  }
  const std::string network = "2001:db8:1:2::";  // one /64
  clients.clear();
  for (std::uint16_t i = 1; i <= 200; ++i)
    begin(at(network + std::to_string(i), 1));
  for (const auto& client : clients) {
    client->exchange();
    EXPECT_TRUE(client->connected());
  }
  EXPECT_EQ(script.endpoint.counters().handshakes_evicted, 0U);
}

TEST_F(TwoSessions, ASessionWithoutAnAllocationMakesRoom) {
  const Endpoint relayed = finish(at("198.51.100.7", 1)).from;
  script.allocations.insert(relayed);
  const Endpoint idle = finish(at("198.51.100.7", 2)).from;
  EXPECT_TRUE(finish(at("198.51.100.8", 1)).connected());
  EXPECT_EQ(script.endpoint.clients(), 2U);
  EXPECT_THAT(script.ended, ElementsAre(idle));
  EXPECT_EQ(script.endpoint.counters().sessions_evicted, 1U);
  DtlsClient& evicted = *clients[1];
  evicted.exchange();
  EXPECT_NE(SSL_get_shutdown(evicted.ssl()) & SSL_RECEIVED_SHUTDOWN, 0) << "it is told";
}

TEST_F(TwoSessions, SessionsWithAllocationsMakeNoRoom) {
  script.allocations = {at("198.51.100.7", 1), at("198.51.100.8", 1)};
  finish(at("198.51.100.7", 1));
  finish(at("198.51.100.8", 1));
  DtlsClient& third = finish(at("198.51.100.9", 1));
  EXPECT_NE(SSL_get_shutdown(third.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
  EXPECT_EQ(script.endpoint.clients(), 2U);
  EXPECT_EQ(script.endpoint.counters().sessions_refused, 1U);
  // A client that is in may start anew, and one whose allocation has ended makes room again.
  EXPECT_TRUE(finish(at("198.51.100.7", 1)).connected());
  EXPECT_EQ(script.endpoint.counters().sessions_refused, 1U);
  script.allocations.erase(at("198.51.100.8", 1));
  script.advance(10s);
  clients[1]->write("still here");
  clients[1]->exchange();
  script.advance(50s);  // its deadline finds it without
  EXPECT_TRUE(finish(at("198.51.100.9", 2)).connected());
}
