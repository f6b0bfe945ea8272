// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_uri.hpp"

#include <gmock/gmock.h>

using namespace causeway;
using namespace causeway::probe;
using testing::HasSubstr;

TEST(ProbeUri, HasTheDefaultsOfItsScheme) {
  const auto uri = parse_probe_uri("turn:turn.example.org");
  ASSERT_TRUE(uri);
  EXPECT_TRUE(uri->turn);
  EXPECT_EQ(uri->transport, ProbeTransport::kUdp);
  EXPECT_EQ(uri->host, "turn.example.org");
  EXPECT_EQ(uri->port, std::nullopt);
  EXPECT_EQ(uri->port_or_default(), 3478);
  EXPECT_EQ(parse_probe_uri("turns:turn.example.org")->port_or_default(), 5349);
  EXPECT_EQ(parse_probe_uri("turns:turn.example.org")->transport, ProbeTransport::kTls);
  EXPECT_EQ(parse_probe_uri("stuns:[2001:db8::1]")->host, "2001:db8::1");
  EXPECT_FALSE(parse_probe_uri("STUN:192.0.2.1")->turn);
}

TEST(ProbeUri, TakesPortAndTransport) {
  const auto uri = parse_probe_uri("TURN:[2001:db8::1]:443?Transport=TCP");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->host, "2001:db8::1");
  EXPECT_EQ(uri->port, 443);
  EXPECT_EQ(uri->transport, ProbeTransport::kTcp);
  EXPECT_EQ(parse_probe_uri("turn:192.0.2.1:3479?transport=udp")->transport, ProbeTransport::kUdp);
  EXPECT_EQ(parse_probe_uri("turns:a.example:443?transport=tcp")->transport, ProbeTransport::kTls);
  const auto dtls = parse_probe_uri("turns:a.example?transport=udp");
  ASSERT_TRUE(dtls);
  EXPECT_EQ(dtls->transport, ProbeTransport::kDtls);
  EXPECT_EQ(dtls->port_or_default(), 5349);
}

TEST(ProbeUri, LeavesTheTransportToSrvRecordsWhereItNamesNone) {
  EXPECT_TRUE(parse_probe_uri("turn:a.example")->transport_is_free);
  EXPECT_TRUE(parse_probe_uri("turns:a.example")->transport_is_free);
  EXPECT_FALSE(parse_probe_uri("turn:a.example?transport=udp")->transport_is_free);
  EXPECT_FALSE(parse_probe_uri("stun:a.example")->transport_is_free) << "RFC 7064: udp";
}

TEST(ProbeUri, SaysWhatIsWrong) {
  const auto sentence = [](std::string_view text) {
    const auto uri = parse_probe_uri(text);
    return uri ? "accepted: " + std::string{text} : uri.error().sentence;
  };
  EXPECT_THAT(sentence("turn.example.org"), HasSubstr("no scheme"));
  EXPECT_THAT(sentence("https://example.org"), HasSubstr("scheme must be"));
  EXPECT_THAT(sentence("turn://example.org"), HasSubstr("no slashes"));
  EXPECT_THAT(sentence("turn:alice@example.org"), HasSubstr("--user"));
  EXPECT_THAT(sentence("stun:example.org?transport=tcp"), HasSubstr("RFC 7064"));
  EXPECT_THAT(sentence("turn:example.org?transport=sctp"), HasSubstr("transport=udp or transport=tcp"));
  for (const char* host : {"turn:", "turn::3478", "turn:2001:db8::1", "turn:[::1", "turn:[192.0.2.1]", "turn:a b"}) {
    EXPECT_THAT(sentence(host), testing::AnyOf(HasSubstr("host"), HasSubstr("port"))) << host;
  }
  for (const char* port : {"turn:a.example:", "turn:a.example:0", "turn:a.example:65536", "turn:[::1]3478"}) {
    EXPECT_THAT(sentence(port), HasSubstr("port")) << port;
  }
}
