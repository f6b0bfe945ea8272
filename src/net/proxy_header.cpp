// SPDX-License-Identifier: Apache-2.0
// Sections are those of "The PROXY protocol, versions 1 & 2" (HAProxy, 2020).
#include "net/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace causeway::net {
namespace {

using Parsed = Result<ProxyHeader, ProxyHeaderError>;

// §2.1
constexpr std::string_view kTextStart = "PROXY ";
constexpr std::size_t kLineBytesMax = 107;
constexpr std::size_t kLineEndBytes = 2;

// §2.2
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kFixedBytes = 16;
constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kLocal = 0;
constexpr std::uint8_t kProxy = 1;
constexpr std::uint8_t kTcpOverIpv4 = 0x11;
constexpr std::uint8_t kTcpOverIpv6 = 0x21;
constexpr std::uint8_t kFamilyMax = 3;
constexpr std::uint8_t kProtocolMax = 2;

// The whole of `text`, without leading zeros (§2.1).
std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// Four words with one space between.
std::optional<std::array<std::string_view, 4>> split(std::string_view line) {
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto space = i + 1 < words.size() ? line.find(' ') : line.size();
    if (space == std::string_view::npos) return std::nullopt;
    words[i] = line.substr(0, space);
    line.remove_prefix(std::min(line.size(), space + 1));
  }
  return words;
}

// `line` is without "PROXY " and the end of the line.
Parsed parse_line(std::string_view line) {
  // §2.1: whatever follows UNKNOWN is to be ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return ProxyHeader{};
  const bool v4 = line.starts_with("TCP4 ");
  if (!v4 && !line.starts_with("TCP6 ")) return ProxyHeaderError::kMalformed;
  const auto words = split(line.substr(5));
  if (!words) return ProxyHeaderError::kMalformed;
  const auto client = IpAddress::parse((*words)[0]);
  const auto server = IpAddress::parse((*words)[1]);
  const auto client_port = parse_port((*words)[2]);
  const auto server_port = parse_port((*words)[3]);
  if (!client || !server || !client_port || !server_port) return ProxyHeaderError::kMalformed;
  if (client->is_v4() != v4 || server->is_v4() != v4) return ProxyHeaderError::kMalformed;
  // Proxies on dual-stack sockets write IPv4 addresses as mapped ones.
  return ProxyHeader{0, ProxiedAddresses{{client->unmapped(), *client_port}, {server->unmapped(), *server_port}}};
}

Parsed parse_text(Bytes octets) {
  const std::string_view text = as_text(octets);
  const auto end = text.find('\r');
  const std::size_t whole = end == std::string_view::npos ? text.size() + kLineEndBytes : end + kLineEndBytes;
  if (whole > kLineBytesMax) return ProxyHeaderError::kTooLong;
  if (text.size() < whole) return ProxyHeader{whole - text.size()};
  if (text.size() > whole || text.back() != '\n') return ProxyHeaderError::kMalformed;
  return parse_line(text.substr(kTextStart.size(), end - kTextStart.size()));
}

template <std::size_t kBytes>
ProxiedAddresses read_addresses(const std::uint8_t* from) {
  std::array<std::uint8_t, kBytes> client{};
  std::array<std::uint8_t, kBytes> server{};
  std::copy_n(from, kBytes, client.begin());
  std::copy_n(from + kBytes, kBytes, server.begin());
  return {{IpAddress{client}.unmapped(), load_be16(from + 2 * kBytes)},
          {IpAddress{server}.unmapped(), load_be16(from + 2 * kBytes + 2)}};
}

Parsed parse_binary(Bytes octets) {
  if (octets.size() < kFixedBytes) return ProxyHeader{kFixedBytes - octets.size()};
  const std::uint8_t command = octets[12] & 0x0F;
  const std::uint8_t family = octets[13] >> 4;
  const std::uint8_t protocol = octets[13] & 0x0F;
  if (octets[12] >> 4 != kVersion || command > kProxy) return ProxyHeaderError::kMalformed;
  const std::size_t length = load_be16(&octets[14]);
  if (kFixedBytes + length > kProxyHeaderBytesMax) return ProxyHeaderError::kTooLong;
  if (octets.size() < kFixedBytes + length) return ProxyHeader{kFixedBytes + length - octets.size()};
  if (octets.size() > kFixedBytes + length) return ProxyHeaderError::kMalformed;
  // §2.2: with LOCAL everything that follows is to be discarded.
  if (command == kLocal) return ProxyHeader{};
  const bool unspecified = octets[13] == 0;
  const bool assigned = family >= 1 && family <= kFamilyMax && protocol >= 1 && protocol <= kProtocolMax;
  if (!unspecified && !assigned) return ProxyHeaderError::kMalformed;
  // What follows the addresses are TLVs, and none of them changes anything here.
  const std::uint8_t* addresses = octets.data() + kFixedBytes;
  if (octets[13] == kTcpOverIpv4) {
    if (length < 12) return ProxyHeaderError::kMalformed;
    return ProxyHeader{0, read_addresses<4>(addresses)};
  }
  if (octets[13] == kTcpOverIpv6) {
    if (length < 36) return ProxyHeaderError::kMalformed;
    return ProxyHeader{0, read_addresses<16>(addresses)};
  }
  return ProxyHeader{};  // §2.2: as UNSPEC
}

bool begins_like(std::string_view text, std::string_view start) {
  const std::size_t common = std::min(text.size(), start.size());
  return text.substr(0, common) == start.substr(0, common);
}

}  // namespace

Result<ProxyHeader, ProxyHeaderError> parse_proxy_header(Bytes octets) {
  const std::string_view text = as_text(octets);
  const bool is_text = begins_like(text, kTextStart);
  const bool is_binary = begins_like(text, kSignature);
  if (!is_text && !is_binary) return ProxyHeaderError::kAbsent;
  // The shortest header, "PROXY UNKNOWN", is longer than the signature.
  if (octets.size() < kSignature.size()) return ProxyHeader{kSignature.size() - octets.size()};
  return is_binary ? parse_binary(octets) : parse_text(octets);
}

}  // namespace causeway::net
