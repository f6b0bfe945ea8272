// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace causeway::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const std::string kSignature{"\r\n\r\n\0\r\nQUIT\n"sv};
const std::string kIpv4{"\xC0\x00\x02\x01\xC6\x33\x64\x02\xDA\x05\x01\xBB"sv};

std::string binary(char version_and_command, char family, std::string_view rest) {
  std::string header = kSignature + version_and_command + family;
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xFF);
  return header.append(rest);
}

// "CLIENT > SERVER", "none", "+N" for N missing octets, or the error.
std::string parsed(std::string_view octets) {
  const auto header = parse_proxy_header(as_bytes(octets));
  if (!header) {
    switch (header.error()) {
      case ProxyHeaderError::kAbsent:
        return "absent";
      case ProxyHeaderError::kMalformed:
        return "malformed";
      case ProxyHeaderError::kTooLong:
        return "too long";
    }
  }
  if (header->missing > 0) return "+" + std::to_string(header->missing);
  if (!header->addresses) return "none";
  return header->addresses->client.to_string() + " > " + header->addresses->server.to_string();
}

// Reads as the listener does: what it asks for, and no more. The octets that are left stand behind the result.
std::string read_from(std::string_view stream) {
  std::size_t taken = 0;
  for (;;) {
    const auto header = parse_proxy_header(as_bytes(stream.substr(0, taken)));
    if (!header || header->missing == 0)
      return parsed(stream.substr(0, taken)) + "|" + std::string{stream.substr(taken)};
    if (taken + header->missing > stream.size()) return "ended";
    taken += header->missing;
  }
}

TEST(ProxyHeader, LinesOfVersion1) {
  EXPECT_EQ(parsed("PROXY TCP4 192.0.2.1 198.51.100.2 55813 443\r\n"), "192.0.2.1:55813 > 198.51.100.2:443");
  EXPECT_EQ(parsed("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), "[2001:db8::1]:0 > [2001:db8::2]:65535");
  EXPECT_EQ(parsed("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 2\r\n"), "192.0.2.1:1 > 198.51.100.2:2");
  EXPECT_EQ(parsed("PROXY UNKNOWN\r\n"), "none");
  EXPECT_EQ(parsed("PROXY UNKNOWN 2001:db8::1 whatever 65536 that is\r\n"), "none");
}

TEST(ProxyHeader, NothingBehindItIsTaken) {
  EXPECT_EQ(read_from("PROXY TCP4 192.0.2.1 198.51.100.2 55813 443\r\n\x16\x03\x01"),
            "192.0.2.1:55813 > 198.51.100.2:443|\x16\x03\x01");
  EXPECT_EQ(read_from("PROXY UNKNOWN\r\nGET"), "none|GET");
  EXPECT_EQ(read_from("PROXY UNKNOWN \r\nGET"), "none|GET");
  EXPECT_EQ(read_from(binary('\x21', '\x11', kIpv4) + "\x16\x03"), "192.0.2.1:55813 > 198.51.100.2:443|\x16\x03");
  EXPECT_EQ(read_from(binary('\x20', '\0', "") + "GET"), "none|GET");
}

TEST(ProxyHeader, MalformedLines) {
  for (const std::string_view line :
       {"TCP4 192.0.2.1 198.51.100.2 1\r\n"sv, "TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"sv, "TCP4 192.0.2.1\r\n"sv,
        "TCP4  192.0.2.1 198.51.100.2 1 2\r\n"sv, "TCP4 192.0.2.1 198.51.100.2 1 2 \r\n"sv, "TCP4 \r\n"sv, "TCP4\r\n"sv,
        "TCP4 192.0.2.1 2001:db8::2 1 2\r\n"sv, "TCP6 192.0.2.1 198.51.100.2 1 2\r\n"sv, "UNKNOWNS\r\n"sv,
        "TCP4 192.0.2.01 198.51.100.2 1 2\r\n"sv, "TCP4 192.0.2.1 198.51.100.2 01 2\r\n"sv, "tcp4 1 2 3 4\r\n"sv,
        "TCP4 192.0.2.1 198.51.100.2 -1 2\r\n"sv, "TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"sv,
        "TCP4 192.0.2.1 198.51.100.2 1 2\rX"sv, "TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n"sv,
        "UDP4 192.0.2.1 198.51.100.2 1 2\r\n"sv, "TCP4 192.0.2.1\t198.51.100.2 1 2\r\n"sv}) {
    EXPECT_EQ(parsed("PROXY " + std::string{line}), "malformed") << line;
  }
  EXPECT_EQ(parsed("PROXY UNKNOWN\r\nX"), "malformed") << "more than was asked for";
}

TEST(ProxyHeader, ALineEndsAfter107Octets) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(parsed(start + std::string(91, 'x') + "\r\n"), "none");
  EXPECT_EQ(parsed(start + std::string(91, 'x')), "+2");
  EXPECT_EQ(parsed(start + std::string(91, 'x') + "\r"), "+1");
  EXPECT_EQ(parsed(start + std::string(92, 'x')), "too long");
  EXPECT_EQ(parsed(start + std::string(92, 'x') + "\r"), "too long");
  EXPECT_EQ(read_from(start + std::string(200, '\n')), "too long|" + std::string(108, '\n')) << "no end of the line";
}

TEST(ProxyHeader, Version2) {
  const std::string ipv6 = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01" + "\x20\x01\x0D\xB8" +
                           std::string(11, '\0') + "\x02\xDA\x05\x01\xBB";
  const std::string tlv{"\x04\x00\x03\x00\x00\x00"sv};
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4)), "192.0.2.1:55813 > 198.51.100.2:443");
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4 + tlv)), "192.0.2.1:55813 > 198.51.100.2:443");
  EXPECT_EQ(parsed(binary('\x21', '\x21', ipv6)), "[2001:db8::1]:55813 > [2001:db8::2]:443");
  EXPECT_EQ(parsed(binary('\x21', '\x21', ipv6 + tlv)), "[2001:db8::1]:55813 > [2001:db8::2]:443");
  const std::string mapped = std::string(10, '\0') + "\xFF\xFF\xC0\x00\x02\x01"s;
  EXPECT_EQ(parsed(binary('\x21', '\x21', mapped + mapped + "\x00\x01\x00\x02"s)), "192.0.2.1:1 > 192.0.2.1:2");
}

TEST(ProxyHeader, Version2WithoutAddresses) {
  EXPECT_EQ(parsed(binary('\x20', '\x11', kIpv4)), "none") << "LOCAL";
  EXPECT_EQ(parsed(binary('\x20', '\x7F', "")), "none") << "LOCAL, whatever family";
  EXPECT_EQ(parsed(binary('\x21', '\x00', "")), "none");
  EXPECT_EQ(parsed(binary('\x21', '\x00', "\x04\x00\x01x"s)), "none");
  EXPECT_EQ(parsed(binary('\x21', '\x12', kIpv4)), "none") << "UDP";
  EXPECT_EQ(parsed(binary('\x21', '\x31', std::string(216, 'x'))), "none") << "AF_UNIX";
}

TEST(ProxyHeader, MalformedVersion2) {
  EXPECT_EQ(parsed(binary('\x11', '\x11', kIpv4)), "malformed") << "version 1";
  EXPECT_EQ(parsed(binary('\x31', '\x11', kIpv4)), "malformed") << "version 3";
  EXPECT_EQ(parsed(binary('\x22', '\x11', kIpv4)), "malformed") << "command 2";
  EXPECT_EQ(parsed(binary('\x21', '\x41', kIpv4)), "malformed") << "family 4";
  EXPECT_EQ(parsed(binary('\x21', '\x13', kIpv4)), "malformed") << "protocol 3";
  EXPECT_EQ(parsed(binary('\x21', '\x10', kIpv4)), "malformed") << "protocol 0 of family 1";
  EXPECT_EQ(parsed(binary('\x21', '\x01', kIpv4)), "malformed") << "protocol 1 of family 0";
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4.substr(1))), "malformed") << "11 octets of addresses";
  EXPECT_EQ(parsed(binary('\x21', '\x21', std::string(35, 'x'))), "malformed");
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4) + "x"), "malformed") << "more than was asked for";
}

TEST(ProxyHeader, Version2HasALimit) {
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4 + std::string(4068, 'x'))), "192.0.2.1:55813 > 198.51.100.2:443");
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4 + std::string(4069, 'x'))), "too long");
  EXPECT_EQ(parsed(binary('\x20', '\x00', std::string(65535, 'x'))), "too long");
}

TEST(ProxyHeader, AsksForWhatIsMissing) {
  EXPECT_EQ(parsed(""), "+12");
  EXPECT_EQ(parsed("PROX"), "+8");
  EXPECT_EQ(parsed("\r\n"), "+10");
  EXPECT_EQ(parsed(kSignature), "+4");
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4).substr(0, 16)), "+12");
  EXPECT_EQ(parsed(binary('\x21', '\x11', kIpv4).substr(0, 27)), "+1");
}

TEST(ProxyHeader, OtherProtocols) {
  for (const std::string_view octets :
       {"\x16\x03\x01"sv, "GET / HTTP/1.1\r\n"sv, "\0\1\0\0"sv, "PROXY\t"sv, "\r\n\r\n\r"sv, "P "sv, "proxy TCP4"sv}) {
    EXPECT_EQ(parsed(octets), "absent") << octets;
  }
}

}  // namespace
}  // namespace causeway::net
