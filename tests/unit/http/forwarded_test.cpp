// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <string>

namespace causeway::http {
namespace {

using boost::beast::http::fields;

class ForwardedTest : public testing::Test {
 protected:
  // "203.0.113.7", with an s in front where the client uses TLS; "malformed".
  std::string client(const std::string& sender = "10.0.0.1") {
    const auto found = client_behind({IpAddress::parse(sender).value()}, header, proxies);
    if (!found) return "malformed";
    return (found->is_tls ? "s " : "") + found->address.to_string();
  }
  std::string forwarded(const std::string& value) {
    proxies.header = ForwardedHeader::kForwarded;
    header.set("Forwarded", value);
    return client();
  }
  std::string x_forwarded(const std::string& value) {
    header.set("X-Forwarded-For", value);
    return client();
  }

  fields header;
  TrustedProxies proxies{{Prefix::parse("10.0.0.0/24").value(), Prefix::parse("fd00::/8").value()}};
};

TEST_F(ForwardedTest, WithoutAHeaderTheSenderIsTheClient) {
  EXPECT_FALSE(is_forwarded(header));
  EXPECT_EQ(client(), "10.0.0.1");
  proxies.header = ForwardedHeader::kForwarded;
  EXPECT_EQ(client(), "10.0.0.1");
}

TEST_F(ForwardedTest, TheRightmostUntrustedAddressIsTheClient) {
  EXPECT_EQ(x_forwarded("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(x_forwarded("192.0.2.1, 203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(x_forwarded("192.0.2.1, 203.0.113.7, 10.0.0.3,fd00::2"), "203.0.113.7");
  EXPECT_EQ(x_forwarded("10.0.0.9, 10.0.0.3"), "10.0.0.9") << "all are trusted";
  header.insert("X-Forwarded-For", "198.51.100.1");
  EXPECT_EQ(client(), "198.51.100.1") << "a second field is the end of the list";
}

TEST_F(ForwardedTest, WhatAStrangerWroteIsNotRead) {
  EXPECT_EQ(x_forwarded("nonsense\", 203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(client("203.0.113.80"), "203.0.113.80") << "nor what one sends";
  header.set("Forwarded", "for=192.0.2.66");
  EXPECT_EQ(client(), "203.0.113.7") << "the header that the proxies do not write";
  EXPECT_TRUE(is_forwarded(header));
}

TEST_F(ForwardedTest, FormsOfAddresses) {
  for (const char* text : {"203.0.113.7:4711", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]", " 203.0.113.7 , ,"})
    EXPECT_EQ(x_forwarded(text), "203.0.113.7") << text;
  for (const char* text : {"2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:4711"})
    EXPECT_EQ(x_forwarded(text), "2001:db8::7") << text;
  for (const char* text : {"203.0.113.777", "203.0.113.7:", "203.0.113.7:a b", "[203.0.113.7]", "[2001:db8::7",
                           "[2001:db8::7]80", "example.org", "203.0.113.7;80", "\"203.0.113.7\""})
    EXPECT_EQ(x_forwarded(text), "malformed") << text;
}

TEST_F(ForwardedTest, WhoIsUnknownIsTheLastThatIsKnown) {
  EXPECT_EQ(x_forwarded("203.0.113.7, unknown, 10.0.0.3"), "10.0.0.3");
  EXPECT_EQ(forwarded("for=203.0.113.7, for=\"_hidden:_port\""), "10.0.0.1");
  EXPECT_EQ(forwarded("for=203.0.113.7, by=10.0.0.1"), "10.0.0.1");
}

TEST_F(ForwardedTest, TheScheme) {
  header.set("X-Forwarded-Proto", "https");
  EXPECT_EQ(x_forwarded("203.0.113.7"), "s 203.0.113.7");
  header.set("X-Forwarded-Proto", "http, WSS");
  EXPECT_EQ(client(), "s 203.0.113.7");
  header.set("X-Forwarded-Proto", "https,http");
  EXPECT_EQ(client(), "203.0.113.7");
  EXPECT_EQ(forwarded("for=203.0.113.7;proto=https, for=10.0.0.3;proto=http"), "s 203.0.113.7");
  EXPECT_EQ(forwarded("for=203.0.113.7;proto=http, for=10.0.0.3;proto=https"), "203.0.113.7");
}

// RFC 7239 §4
TEST_F(ForwardedTest, ElementsAndPairs) {
  for (const char* text :
       {"for=203.0.113.7", "For=\"203.0.113.7:4711\"", "proto=http;by=_proxy;FOR=203.0.113.7;host=\"a, b;c\\\"=\"",
        "for=\"[2001:db8::1]\" , for=203.0.113.7;", "for=203.0.113.7 ; proto=http,,", ";for=203.0.113.7",
        "for=\"203.0.11\\3.7\"", "secret=\"x,for=1.2.3.4\", for=203.0.113.7"})
    EXPECT_EQ(forwarded(text), "203.0.113.7") << text;
  EXPECT_EQ(forwarded("for=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
  for (const char* text : {"for=\"203.0.113.7", "for=\"203.0.113.7\\", "for=203.0.113.7;for=203.0.113.8", "for",
                           "for=", "for =203.0.113.7", "=203.0.113.7", "203.0.113.7", "for=203.0.113.7 for=203.0.113.8",
                           "for=[2001:db8::7]", "for=\"\"", "for=\"x\"y, for=203.0.113.7"})
    EXPECT_EQ(forwarded(text), "malformed") << text;
}

}  // namespace
}  // namespace causeway::http
