// SPDX-License-Identifier: Apache-2.0
// OpenSSL's client against the endpoint, over a wire that loses, copies and reorders.
#include <malloc.h>
#include <openssl/rand.h>

#include <algorithm>

#include "dtls_script.hpp"

using namespace causeway;
using namespace causeway::net;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr std::uint8_t kHelloVerifyRequest = 3;

bool is_hello_verify_request(const Datagram& datagram) {
  return datagram.size() > 13 && datagram[0] == 22 && datagram[13] == kHelloVerifyRequest;
}

std::string message_of(std::size_t bytes) {
  return std::string(bytes, 'x');
}

}  // namespace

TEST(DtlsEndpoint, ShakesHandsAndCarriesMessagesBothWays) {
  DtlsScript script;
  script.echo = true;
  DtlsClient client{script};
  std::size_t longest = 0;
  client.exchange([&](const Datagram& datagram) {
    longest = std::max(longest, datagram.size());
    return false;
  });
  ASSERT_TRUE(client.connected());
  EXPECT_LE(longest, static_cast<std::size_t>(DtlsContext::kHandshakeDatagramBytes));
  EXPECT_STREQ(SSL_get_version(client.ssl()), "DTLSv1.2");
  EXPECT_EQ(script.endpoint.counters().handshakes_finished, 1u);
  EXPECT_EQ(script.endpoint.handshakes(), 0u);

  client.write("one");
  client.write(message_of(1400));
  client.exchange();
  EXPECT_THAT(script.messages, ElementsAre("one", message_of(1400)));
  EXPECT_THAT(client.messages, ElementsAre("one", message_of(1400)));
}

TEST(DtlsEndpoint, SeveralRecordsOfOneDatagramAreSeveralMessages) {
  DtlsScript script;
  DtlsClient client{script};
  client.exchange();
  client.write("one");
  client.write("two");
  Datagram both;
  for (const Datagram& record : client.take_datagrams())
    both.insert(both.end(), record.begin(), record.end());
  script.deliver(client.from, both);
  EXPECT_THAT(script.messages, ElementsAre("one", "two"));
}

TEST(DtlsEndpoint, SendsWhatFitsARecord) {
  DtlsScript script;
  DtlsClient client{script};
  const auto to = script.client(client.from);
  EXPECT_FALSE(script.endpoint.send(to, as_bytes("too early")));
  client.exchange();
  EXPECT_TRUE(script.endpoint.send(to, as_bytes(message_of(16384))));
  EXPECT_FALSE(script.endpoint.send(to, as_bytes(message_of(16385))));
  client.exchange();
  EXPECT_THAT(client.messages, ElementsAre(message_of(16384)));
  EXPECT_EQ(script.endpoint.counters().send_failures, 2u);
}

TEST(DtlsEndpoint, KeepsNothingOfAClientHelloWithoutCookie) {
  DtlsScript script;
  for (std::uint16_t port = 1; port <= 200; ++port) {
    DtlsClient client{script, at("198.51.100.7", port)};
    const Datagram hello = client.take_datagrams().at(0);
    script.deliver(client.from, hello);
    ASSERT_EQ(script.sent[client.from].size(), 1u);
    EXPECT_TRUE(is_hello_verify_request(script.sent[client.from][0]));
    EXPECT_LE(script.sent[client.from][0].size(), hello.size());  // no amplification
  }
  EXPECT_EQ(script.endpoint.clients(), 0u);
  EXPECT_EQ(script.endpoint.next_deadline(), std::nullopt);
  EXPECT_EQ(script.endpoint.counters().cookies_asked, 200u);
}

TEST(DtlsEndpoint, ACookieIsOfNoUseToAnotherPortOrAddress) {
  DtlsScript script;
  DtlsClient client{script};
  const Datagram hello = client.hello_with_cookie();
  for (const Endpoint& other : {at("198.51.100.7", 40001), at("198.51.100.8", 40000), at("2001:db8::7", 40000)}) {
    script.deliver(other, hello);
    ASSERT_EQ(script.sent[other].size(), 1u);
    EXPECT_TRUE(is_hello_verify_request(script.sent[other][0]));
  }
  EXPECT_EQ(script.endpoint.clients(), 0u);
  script.deliver(client.from, hello);
  EXPECT_EQ(script.endpoint.clients(), 1u);
  client.exchange();
  EXPECT_TRUE(client.connected());
}

TEST(DtlsEndpoint, AForgedOrOldCookieIsAnsweredByANewOne) {
  DtlsScript script;
  DtlsClient client{script};
  Datagram hello = client.hello_with_cookie();
  Datagram forged = hello;
  forged[13 + 12 + 2 + 32 + 1 + 1] ^= 1;  // behind the random, an empty session id and the cookie's length
  script.deliver(client.from, forged);
  EXPECT_EQ(script.endpoint.clients(), 0u);
  ASSERT_EQ(script.sent[client.from].size(), 1u);
  EXPECT_TRUE(is_hello_verify_request(script.sent[client.from][0]));
  script.advance(3min);
  script.deliver(client.from, hello);
  EXPECT_EQ(script.endpoint.clients(), 0u);
}

TEST(DtlsEndpoint, AnyLostDatagramIsSentAgain) {
  for (int lost = 0;; ++lost) {
    DtlsScript script;
    script.echo = true;
    DtlsClient client{script};
    int count = 0;
    const IsLost is_lost = [&](const Datagram&) { return count++ == lost; };
    client.exchange(is_lost);
    // The server's last flight is repeated when the client repeats its own.
    for (int i = 0; i < 3 && !client.connected(); ++i) {
      script.advance(2s);
      client.retransmit();
      client.exchange(is_lost);
    }
    ASSERT_TRUE(client.connected()) << "without datagram " << lost;
    client.write("hello");
    client.exchange();
    EXPECT_THAT(client.messages, ElementsAre("hello")) << "without datagram " << lost;
    EXPECT_EQ(script.endpoint.clients(), 1u);
    if (count <= lost) break;  // nothing was lost
  }
}

TEST(DtlsEndpoint, RepeatsItsFlightByItselfAndGivesUpAtTheDeadline) {
  DtlsScript script;
  DtlsClient client{script};
  script.deliver(client.from, client.hello_with_cookie());
  const std::size_t flight = script.sent[client.from].size();
  ASSERT_GT(flight, 0u);
  std::vector<TimePoint> repeated;
  const TimePoint begin = script.now.steady;
  while (const auto deadline = script.endpoint.next_deadline()) {
    ASSERT_GT(*deadline, script.now.steady);
    script.sent[client.from].clear();
    script.advance(std::chrono::ceil<std::chrono::milliseconds>(*deadline - script.now.steady));
    if (!script.sent[client.from].empty()) repeated.push_back(script.now.steady);
  }
  // RFC 6347 §4.2.4.1: after 1 s, then twice as long each time.
  EXPECT_THAT(repeated, ElementsAre(begin + 1s, begin + 3s, begin + 7s, begin + 15s));
  EXPECT_EQ(script.now.steady, begin + DtlsEndpoint::kHandshakeDeadline);
  EXPECT_EQ(script.endpoint.clients(), 0u);
  EXPECT_EQ(script.endpoint.handshakes(), 0u);
  EXPECT_EQ(script.endpoint.counters().handshakes_failed, 1u);
  EXPECT_THAT(script.ended, IsEmpty());  // it has never been a client
}

TEST(DtlsEndpoint, CopiesAndDisorderDoNoHarm) {
  DtlsScript script;
  script.echo = true;
  DtlsClient client{script};
  for (int round = 0; round < 20 && !client.connected(); ++round) {
    auto datagrams = client.take_datagrams();
    std::reverse(datagrams.begin(), datagrams.end());
    for (const Datagram& datagram : datagrams) {
      script.deliver(client.from, datagram);
      script.deliver(client.from, datagram);
    }
    auto answers = std::exchange(script.sent[client.from], {});
    std::reverse(answers.begin(), answers.end());
    for (const Datagram& answer : answers) {
      client.receive(answer);
      client.receive(answer);
    }
    script.advance(1s);
    client.retransmit();
  }
  ASSERT_TRUE(client.connected());
  client.exchange();
  client.write("once");
  const Datagram record = client.take_datagrams().at(0);
  script.deliver(client.from, record);
  script.deliver(client.from, record);  // RFC 6347 §4.1.2.6
  EXPECT_THAT(script.messages, ElementsAre("once"));
  EXPECT_EQ(script.endpoint.clients(), 1u);
}

TEST(DtlsEndpoint, GarbageIsSilentlyDropped) {
  DtlsScript script;
  DtlsClient client{script};
  const Datagram hello = client.hello_with_cookie();
  const Endpoint stranger = at("203.0.113.9", 9);
  for (std::size_t bytes = 0; bytes < hello.size(); ++bytes)
    script.deliver(stranger, Bytes{hello}.first(bytes));
  Datagram noise(300);
  for (int i = 0; i < 500; ++i) {
    RAND_bytes(noise.data(), static_cast<int>(noise.size()));
    noise[0] = static_cast<std::uint8_t>(20 + i % 44);
    script.deliver(stranger, noise);
  }
  EXPECT_THAT(script.sent[stranger], IsEmpty());
  EXPECT_EQ(script.endpoint.clients(), 0u);
  EXPECT_GT(script.endpoint.counters().strays, 0u);

  script.deliver(client.from, hello);
  client.exchange();
  ASSERT_TRUE(client.connected());
  client.write("real");
  const Datagram record = client.take_datagrams().at(0);
  for (std::size_t i = 0; i < record.size(); ++i) {
    Datagram broken = record;
    broken[i] ^= 0x40;
    script.deliver(client.from, broken);
    script.deliver(client.from, Bytes{record}.first(i));
  }
  EXPECT_THAT(script.messages, IsEmpty());
  script.deliver(client.from, record);
  EXPECT_THAT(script.messages, ElementsAre("real"));
}

TEST(DtlsEndpoint, AnUnfinishedHandshakeTakesLittleMemory) {
  DtlsScript script;
  DtlsClient client{script};
  const std::size_t before = mallinfo2().uordblks;
  script.deliver(client.from, client.hello_with_cookie());
  Datagram record(13 + 40);
  record[0] = 22;
  record[1] = 254;
  record[2] = 253;
  record[4] = 1;  // the next epoch
  record[12] = 40;
  for (record[10] = 0; record[10] < 200; ++record[10]) {
    script.deliver(client.from, record);
    Datagram message(13 + 12 + 20);  // the last 20 octets of some later handshake message of 16 KiB
    message[0] = 22;
    message[1] = 254;
    message[2] = 253;
    message[10] = static_cast<std::uint8_t>(record[10] + 10);
    message[12] = 12 + 20;
    message[13] = 16;
    message[15] = 0x40;
    message[18] = static_cast<std::uint8_t>(3 + record[10] % 20);
    message[20] = 0x3F;
    message[21] = 0xEC;
    message[24] = 20;
    script.deliver(client.from, message);
  }
  EXPECT_EQ(script.endpoint.handshakes(), 1u);
  const std::size_t taken = mallinfo2().uordblks - before;
  EXPECT_LT(taken, 768u * 1024u);
}

TEST(DtlsEndpoint, ASilentSessionExpiresUnlessItHasAnAllocation) {
  DtlsScript script;
  DtlsClient client{script};
  DtlsClient relayed{script, at("198.51.100.7", 40001)};
  client.exchange();
  relayed.exchange();
  script.allocations.insert(relayed.from);
  script.advance(50s);
  client.write("still here");
  client.exchange();
  script.advance(50s);
  EXPECT_EQ(script.endpoint.clients(), 2u);
  script.advance(20s);
  EXPECT_THAT(script.ended, ElementsAre(client.from));
  EXPECT_EQ(script.endpoint.counters().sessions_expired, 1u);
  client.exchange();
  EXPECT_NE(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);  // it was told

  script.allocations.clear();
  script.advance(120s);
  EXPECT_THAT(script.ended, ElementsAre(client.from, relayed.from));
  EXPECT_EQ(script.endpoint.next_deadline(), std::nullopt);
}

TEST(DtlsEndpoint, CloseNotifyEndsASessionAndIsAnswered) {
  DtlsScript script;
  DtlsClient client{script};
  client.exchange();
  SSL_shutdown(client.ssl());
  client.exchange();
  EXPECT_THAT(script.ended, ElementsAre(client.from));
  EXPECT_EQ(script.endpoint.clients(), 0u);
  EXPECT_NE(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

TEST(DtlsEndpoint, StopSaysCloseNotifyToAll) {
  DtlsScript script;
  DtlsClient client{script};
  client.exchange();
  script.endpoint.stop();
  EXPECT_EQ(script.endpoint.clients(), 0u);
  EXPECT_EQ(script.endpoint.next_deadline(), std::nullopt);
  client.exchange();
  EXPECT_NE(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

TEST(DtlsEndpoint, AClientThatStartsAnewKeepsItsFormerSessionUntilTheHandshakeIsDone) {
  DtlsScript script;
  DtlsClient former{script};
  former.exchange();
  DtlsClient next{script};  // from the same address and port
  script.deliver(next.from, next.hello_with_cookie());
  EXPECT_EQ(script.endpoint.handshakes(), 1u);
  former.write("still valid");
  for (const Datagram& record : former.take_datagrams())
    script.deliver(former.from, record);
  EXPECT_THAT(script.messages, ElementsAre("still valid"));
  EXPECT_THAT(script.ended, IsEmpty());

  next.exchange();
  ASSERT_TRUE(next.connected());
  EXPECT_THAT(script.ended, ElementsAre(former.from));
  EXPECT_EQ(script.endpoint.clients(), 1u);
  EXPECT_EQ(script.endpoint.counters().sessions_replaced, 1u);
  next.write("next");
  next.exchange();
  former.write("too late");
  for (const Datagram& record : former.take_datagrams())
    script.deliver(former.from, record);
  EXPECT_THAT(script.messages, ElementsAre("still valid", "next"));
}

TEST(DtlsEndpoint, AnUnfinishedHandshakeEndsNoSession) {
  DtlsScript script;
  DtlsClient former{script};
  former.exchange();
  script.allocations.insert(former.from);
  DtlsClient next{script};
  script.deliver(next.from, next.hello_with_cookie());
  script.sent[former.from].clear();  // they are the next one's
  script.advance(DtlsEndpoint::kHandshakeDeadline);
  EXPECT_EQ(script.endpoint.handshakes(), 0u);
  former.write("still valid");
  for (const Datagram& record : former.take_datagrams())
    script.deliver(former.from, record);
  EXPECT_THAT(script.messages, ElementsAre("still valid"));
  EXPECT_THAT(script.ended, IsEmpty());
}

TEST(DtlsEndpoint, AHandshakeThatStartsAnewReplacesTheUnfinishedOne) {
  DtlsScript script;
  DtlsClient former{script};
  script.deliver(former.from, former.hello_with_cookie());
  script.sent.clear();
  DtlsClient next{script};
  next.exchange();
  EXPECT_TRUE(next.connected());
  EXPECT_EQ(script.endpoint.clients(), 1u);
  EXPECT_EQ(script.endpoint.handshakes(), 0u);
}

TEST(DtlsEndpoint, DoesNotRenegotiate) {
  DtlsScript script;
  DtlsClient client{script};
  client.exchange();
  SSL_renegotiate(client.ssl());
  SSL_do_handshake(client.ssl());
  std::vector<int> types;
  client.exchange([&](const Datagram& datagram) {
    types.push_back(datagram[0]);
    return false;
  });
  EXPECT_EQ(std::count(types.begin(), types.end(), 22), 1);  // the client's; then there are alerts
  EXPECT_EQ(std::count(types.begin(), types.end(), 21), static_cast<long>(types.size()) - 1);
  EXPECT_EQ(script.endpoint.counters().handshakes_finished, 1u);
}

TEST(DtlsEndpoint, RefusesDtls10) {
  DtlsScript script;
  DtlsClient client{script, at("198.51.100.7", 40000), DTLS1_VERSION};
  client.exchange();
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(script.endpoint.counters().handshakes_finished, 0u);
  EXPECT_EQ(script.endpoint.clients(), 0u);
}
