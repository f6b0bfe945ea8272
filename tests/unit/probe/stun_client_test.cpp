// SPDX-License-Identifier: Apache-2.0
#include "probe/stun_client.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"

using namespace causeway;
using namespace causeway::probe;
using namespace std::chrono_literals;
using stun::AttributeType;
using stun::ErrorCode;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

namespace {

using Message = std::vector<std::uint8_t>;

class CountingRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& octet : out)
      octet = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

// A network with a server at its far end, and a clock that only moves while somebody waits.
class ScriptedTransport final : public Transport {
 public:
  std::function<std::vector<Message>(const Message&)> server;
  bool reliable = false;
  TimePoint now{};
  std::vector<Message> sent;
  std::vector<TimePoint> sent_at;
  std::deque<Message> arriving;

  bool is_reliable() const noexcept override { return reliable; }
  std::optional<ProbeError> send(Bytes message, TimePoint) override {
    sent.emplace_back(message.begin(), message.end());
    sent_at.push_back(now);
    if (server) {
      for (Message& answer : server(sent.back()))
        arriving.push_back(std::move(answer));
    }
    return std::nullopt;
  }
  Result<std::optional<Message>, ProbeError> receive(TimePoint deadline) override {
    if (arriving.empty()) {
      now = std::max(now, deadline);
      return std::optional<Message>{};
    }
    Message message = std::move(arriving.front());
    arriving.pop_front();
    return std::optional<Message>{std::move(message)};
  }
};

Message answer(const Message& request, MessageClass message_class, const StunClient::AddAttributes& add) {
  const MessageView view = *MessageView::parse(request);
  Message buffer(1000);
  MessageBuilder builder{buffer, view.method(), message_class, view.transaction_id()};
  add(builder);
  buffer.resize(builder.finish().size());
  return buffer;
}

Message error(const Message& request, ErrorCode code, std::string_view nonce = {}) {
  return answer(request, MessageClass::kErrorResponse, [&](MessageBuilder& builder) {
    builder.add_error_code(code);
    if (nonce.empty()) return;
    builder.add_text(AttributeType::kRealm, "example.org").add_text(AttributeType::kNonce, nonce);
  });
}

std::string_view text(const Message& message, AttributeType type) {
  return as_text(MessageView::parse(message)->value(type).value_or(Bytes{}));
}

class StunClientTest : public testing::Test {
 protected:
  Result<Response, ProbeError> allocate() {
    return client.request(Method::kAllocate, [](MessageBuilder&) {});
  }
  // Behaves as RFC 8489 §9.2.4 says; `nonce` is the only one it takes.
  std::vector<Message> authenticating_server(const Message& request) {
    const MessageView view = *MessageView::parse(request);
    if (!view.has(AttributeType::kMessageIntegrity)) return {error(request, ErrorCode::kUnauthenticated, nonce)};
    if (text(request, AttributeType::kNonce) != nonce) return {error(request, ErrorCode::kStaleNonce, nonce)};
    const auto key = stun::long_term_key_md5("alice", "example.org", "wonderland");
    if (!stun::check_message_integrity(view, key.octets())) {
      return {error(request, ErrorCode::kUnauthenticated, nonce)};
    }
    return {answer(request, MessageClass::kSuccessResponse, [&](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kLifetime, 600).add_message_integrity(key.octets());
    })};
  }

  std::string nonce = "first";
  CountingRandom random;
  ScriptedTransport transport;
  StunClient client{transport, random, [this] { return transport.now; }, 60s};
};

}  // namespace

TEST_F(StunClientTest, RetransmitsAsRfc8489SaysAndGivesUp) {
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().detail, HasSubstr("no answer to 7 packets"));
  EXPECT_THAT(response.error().advice, HasSubstr("firewall"));
  const TimePoint start{};
  EXPECT_THAT(transport.sent_at, ElementsAre(start, start + 500ms, start + 1500ms, start + 3500ms, start + 7500ms,
                                             start + 15500ms, start + 31500ms));
  EXPECT_EQ(transport.now, start + 39500ms);
  EXPECT_EQ(transport.sent.front(), transport.sent.back());
}

TEST_F(StunClientTest, NeverWaitsLongerThanItsTimeout) {
  StunClient hasty{transport, random, [this] { return transport.now; }, 3s};
  EXPECT_FALSE(hasty.request(Method::kBinding, [](MessageBuilder&) {}));
  EXPECT_EQ(transport.now, TimePoint{} + 3s);
  EXPECT_THAT(transport.sent, SizeIs(3));
}

TEST_F(StunClientTest, SendsOnceOverAStream) {
  transport.reliable = true;
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_THAT(transport.sent, SizeIs(1));
  EXPECT_THAT(response.error().detail, HasSubstr("open connection"));
}

TEST_F(StunClientTest, ReadsTheMappedAddressOfALateAnswer) {
  const Endpoint mapped{*IpAddress::parse("192.0.2.7"), 4711};
  transport.server = [&](const Message& request) -> std::vector<Message> {
    if (transport.sent.size() < 3) return {};
    Message foreign = request;
    foreign[8] ^= 1;  // another transaction
    return {error(foreign, ErrorCode::kServerError), Message{1, 2, 3},
            answer(request, MessageClass::kSuccessResponse, [&](MessageBuilder& builder) {
              builder.add_xor_address(AttributeType::kXorMappedAddress, mapped);
            })};
  };
  const auto response = client.request(Method::kBinding, [](MessageBuilder&) {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->xor_address(AttributeType::kXorMappedAddress), mapped);
}

TEST_F(StunClientTest, AnswersTheChallengeOnceAndAuthenticatesFromThenOn) {
  client.set_credential({"alice", "wonderland"});
  transport.server = [this](const Message& request) { return authenticating_server(request); };
  const auto response = allocate();
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->number(AttributeType::kLifetime), 600U);
  ASSERT_THAT(transport.sent, SizeIs(2));
  EXPECT_EQ(text(transport.sent[1], AttributeType::kUsername), "alice");
  EXPECT_EQ(text(transport.sent[1], AttributeType::kRealm), "example.org");
  ASSERT_TRUE(allocate());
  EXPECT_THAT(transport.sent, SizeIs(3));
}

// As RFC 8489 §9.2.4 says; the key is made by the algorithm that the request names.
std::vector<Message> server_of_8489(const Message& request, Bytes algorithms) {
  const MessageView view = *MessageView::parse(request);
  if (!view.has(AttributeType::kMessageIntegritySha256)) {
    return {answer(request, MessageClass::kErrorResponse, [&](MessageBuilder& builder) {
      builder.add_error_code(ErrorCode::kUnauthenticated)
          .add_text(AttributeType::kRealm, "example.org")
          .add_text(AttributeType::kNonce, "obMatJos2gAAAnonce");
      if (!algorithms.empty()) builder.add(AttributeType::kPasswordAlgorithms, algorithms);
    })};
  }
  const auto number = stun::read_password_algorithm(*view.value(AttributeType::kPasswordAlgorithm));
  const auto make_key = number == 2 ? stun::long_term_key_sha256 : stun::long_term_key_md5;
  const auto key = make_key("alice", "example.org", "wonderland");
  const Bytes sent = *view.value(AttributeType::kPasswordAlgorithms);
  const bool good = std::equal(sent.begin(), sent.end(), algorithms.begin(), algorithms.end()) &&
                    stun::check_message_integrity_sha256(view, key.octets());
  return {answer(request, good ? MessageClass::kSuccessResponse : MessageClass::kErrorResponse,
                 [&](MessageBuilder& builder) {
                   if (!good) builder.add_error_code(ErrorCode::kBadRequest);
                   builder.add_message_integrity_sha256(key.octets());
                 })};
}

TEST_F(StunClientTest, TakesTheFirstPasswordAlgorithmOfTheServerThatItKnows) {
  struct Case {
    Message algorithms;
    std::string_view chosen;
  };
  for (const Case& offered : {Case{{0, 2, 0, 0, 0, 1, 0, 0}, "SHA-256"}, Case{{0, 1, 0, 0, 0, 2, 0, 0}, "MD5"},
                              Case{{0, 9, 0, 3, 1, 2, 3, 0, 0, 2, 0, 0}, "SHA-256"}, Case{{0, 1, 0, 0}, "MD5"}}) {
    StunClient fresh{transport, random, [this] { return transport.now; }, 60s};
    fresh.set_credential({"alice", "wonderland"});
    transport.server = [&](const Message& request) { return server_of_8489(request, offered.algorithms); };
    const auto response = fresh.request(Method::kAllocate, [](MessageBuilder&) {});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(fresh.password_algorithm(), offered.chosen);
  }
}

TEST_F(StunClientTest, DoesNotGoOnWhereTheListOfAlgorithmsWasRemoved) {
  client.set_credential({"alice", "wonderland"});
  transport.server = [](const Message& request) { return server_of_8489(request, {}); };
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().detail, HasSubstr("list of password algorithms"));
  EXPECT_THAT(transport.sent, SizeIs(1));
}

TEST_F(StunClientTest, AnswersFromBefore8489MeanMd5) {
  client.set_credential({"alice", "wonderland"});
  EXPECT_EQ(client.password_algorithm(), "");
  transport.server = [this](const Message& request) { return authenticating_server(request); };
  ASSERT_TRUE(allocate());
  EXPECT_EQ(client.password_algorithm(), "MD5");
  EXPECT_FALSE(MessageView::parse(transport.sent.back())->has(AttributeType::kPasswordAlgorithm));
}

TEST_F(StunClientTest, SaysWhereA300SendsIt) {
  transport.server = [](const Message& request) -> std::vector<Message> {
    return {answer(request, MessageClass::kErrorResponse, [](MessageBuilder& builder) {
      builder.add_error_code(ErrorCode::kTryAlternate)
          .add(AttributeType::kAlternateServer, Message{0, 1, 0x0D, 0x96, 192, 0, 2, 9})
          .add_text(AttributeType::kAlternateDomain, "b.example.org");
    })};
  };
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, 300);
  ASSERT_TRUE(response.error().alternate_server);
  EXPECT_EQ(response.error().alternate_server->to_string(), "192.0.2.9:3478");
  EXPECT_EQ(response.error().alternate_domain, "b.example.org");
}

TEST_F(StunClientTest, TakesAFreshNonceFromA438) {
  client.set_credential({"alice", "wonderland"});
  transport.server = [this](const Message& request) { return authenticating_server(request); };
  ASSERT_TRUE(allocate());
  nonce = "second";
  ASSERT_TRUE(allocate());
  EXPECT_EQ(text(transport.sent.back(), AttributeType::kNonce), "second");
}

TEST_F(StunClientTest, EndlessChallengesEnd) {
  client.set_credential({"alice", "wonderland"});
  int count = 0;
  transport.server = [&](const Message& request) -> std::vector<Message> {
    const bool authenticated = MessageView::parse(request)->has(AttributeType::kMessageIntegrity);
    return {error(request, authenticated ? ErrorCode::kStaleNonce : ErrorCode::kUnauthenticated,
                  "nonce " + std::to_string(++count))};
  };
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().detail, HasSubstr("438"));
  EXPECT_EQ(count, 4);
}

TEST_F(StunClientTest, TellsAMissingFromAWrongPassword) {
  transport.server = [this](const Message& request) { return authenticating_server(request); };
  const auto nobody = allocate();
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().advice, HasSubstr("--user"));
  client.set_credential({"alice", "wrong"});
  const auto wrong = allocate();
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("401"));
  EXPECT_THAT(wrong.error().advice, HasSubstr("clocks"));
}

TEST_F(StunClientTest, RefusesAnAnswerThatDoesNotProveThePassword) {
  client.set_credential({"alice", "wonderland"});
  transport.server = [this](const Message& request) -> std::vector<Message> {
    if (!MessageView::parse(request)->has(AttributeType::kMessageIntegrity)) return authenticating_server(request);
    return {answer(request, MessageClass::kSuccessResponse, [](MessageBuilder&) {})};
  };
  const auto response = allocate();
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().detail, HasSubstr("MESSAGE-INTEGRITY"));
}

TEST_F(StunClientTest, AnErrorWithoutItsAttributesIsNoChallenge) {
  client.set_credential({"alice", "wonderland"});
  transport.server = [](const Message& request) -> std::vector<Message> {
    return {error(request, ErrorCode::kUnauthenticated)};
  };
  EXPECT_THAT(allocate().error().advice, HasSubstr("no realm"));
  transport.server = [](const Message& request) -> std::vector<Message> {
    return {answer(request, MessageClass::kErrorResponse, [](MessageBuilder&) {})};
  };
  EXPECT_THAT(allocate().error().detail, HasSubstr("without a code"));
}

TEST_F(StunClientTest, KeepsPacketsThatComeWhileItWaits) {
  const Endpoint peer{*IpAddress::parse("2001:db8::7"), 9};
  transport.server = [&](const Message& request) -> std::vector<Message> {
    Message data(100);
    MessageBuilder builder{data, Method::kData, MessageClass::kIndication, {}};
    builder.add_xor_address(AttributeType::kXorPeerAddress, peer).add_text(AttributeType::kData, "one");
    data.resize(builder.finish().size());
    return {data, Message{0x40, 0x01, 0, 3, 't', 'w', 'o', 0},
            answer(request, MessageClass::kSuccessResponse, [](MessageBuilder&) {})};
  };
  ASSERT_TRUE(client.request(Method::kRefresh, [](MessageBuilder&) {}));
  const auto first = client.receive(transport.now + 1s);
  const auto second = client.receive(transport.now + 1s);
  ASSERT_TRUE(first && *first && second && *second);
  EXPECT_EQ((*first)->peer, peer);
  EXPECT_EQ(as_text((*first)->payload), "one");
  EXPECT_EQ((*second)->channel_number, 0x4001);
  EXPECT_EQ(as_text((*second)->payload), "two");
  const auto none = client.receive(transport.now + 1s);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_F(StunClientTest, WritesIndicationsAndPaddedChannelData) {
  const Endpoint peer{*IpAddress::parse("192.0.2.9"), 9};
  EXPECT_FALSE(client.send_indication(peer, as_bytes("hello")));
  EXPECT_FALSE(client.send_channel_data(0x4000, as_bytes("hello")));
  ASSERT_THAT(transport.sent, SizeIs(2));
  EXPECT_EQ(MessageView::parse(transport.sent[0])->method(), Method::kSend);
  EXPECT_EQ(text(transport.sent[0], AttributeType::kData), "hello");
  EXPECT_THAT(transport.sent[1], ElementsAre(0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0));
}
