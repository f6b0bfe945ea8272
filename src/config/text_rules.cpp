// SPDX-License-Identifier: Apache-2.0
#include "config/text_rules.hpp"

#include <algorithm>

#include "config/opaque_string.hpp"

namespace causeway::config {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The parser has made sure that the text is UTF-8.
std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<std::string> printable(std::string_view text, std::size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max || std::ranges::any_of(text, is_control)) return std::nullopt;
  return std::string{text};
}

std::optional<std::string> opaque(std::string_view text, std::size_t bytes_max) {
  auto prepared = opaque_string(text);
  return prepared && prepared->size() <= bytes_max ? prepared : std::nullopt;
}

std::optional<std::string> parse_realm(std::string_view text) {
  if (character_count(text) > 127 || text.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
  return opaque(text, 763);
}

std::optional<std::string> parse_user_name(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return std::nullopt;
  return opaque(text, 508);
}

std::optional<std::string> parse_password(std::string_view text) {
  return opaque(text, 508);
}

std::optional<std::string> parse_secret(std::string_view text) {
  return printable(text, 508);
}

// As useradd(8) takes them, and dots, which directories of users have.
std::optional<std::string> parse_system_user(std::string_view text) {
  const auto is_part = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; };
  if (text.empty() || text.size() > 64 || text.front() == '-' || !std::ranges::all_of(text, is_part))
    return std::nullopt;
  return std::string{text};
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    const bool letters_ok = std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
    if (label.empty() || label.size() > 63 || !letters_ok || label.front() == '-' || label.back() == '-') return false;
    if (label.size() == name.size()) return !std::ranges::all_of(label, is_digit);  // "10.0.0.256" is no name
    name.remove_prefix(label.size() + 1);
  }
  return false;  // a dot at the end
}

std::optional<std::string> parse_server_name(std::string_view text) {
  if (!is_host_name(text)) return std::nullopt;
  std::string name{text};
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return name;
}

std::optional<std::string> parse_host(std::string_view text) {
  if (!IpAddress::parse(text) && !is_host_name(text)) return std::nullopt;
  return std::string{text};
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
  const int port = std::stoi(std::string{text});
  return port >= 1 && port <= 65535;
}

std::optional<std::string> parse_origin(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  std::string_view host = rest.substr(0, rest.find(':'));
  bool host_ok = is_host_name(host) || (IpAddress::parse(host) && IpAddress::parse(host)->is_v4());
  if (rest.starts_with('[')) {
    host = rest.substr(0, rest.find(']'));
    host.remove_prefix(1);
    host_ok = IpAddress::parse(host) && !IpAddress::parse(host)->is_v4();
    rest.remove_prefix(std::min(rest.size(), host.size() + 2));
  } else {
    rest.remove_prefix(host.size());
  }
  if (!host_ok || !(rest.empty() || (rest.front() == ':' && is_port(rest.substr(1))))) return std::nullopt;
  return std::string{text};
}

std::optional<IpAddress> parse_unicast(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address || address->is_unspecified()) return std::nullopt;
  const std::uint8_t first = address->octets()[0];
  const bool multicast_or_reserved = address->is_v4() ? first >= 224 : first == 0xFF;
  return multicast_or_reserved ? std::nullopt : address;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const auto address = parse_unicast(host);
  if (!address || address->is_v4() == in_brackets) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(std::stoi(std::string{text.substr(colon + 1)}))};
}

std::optional<ExternalAddress> parse_external_address(std::string_view text) {
  const auto slash = text.find('/');
  ExternalAddress parsed{std::string{text.substr(0, slash)}, parse_unicast(text.substr(0, slash)), std::nullopt};
  if (!parsed.address && !is_host_name(parsed.host)) return std::nullopt;
  if (slash == std::string_view::npos) return parsed;
  parsed.local = parse_unicast(text.substr(slash + 1));
  const bool fits = parsed.local && (!parsed.address || parsed.address->family() == parsed.local->family());
  return fits ? std::optional{parsed} : std::nullopt;
}

// RFC 7518 §3.1. The library knows no EdDSA.
std::optional<std::string> parse_token_algorithm(std::string_view text) {
  const bool known = text.size() == 5 &&
                     std::ranges::count(std::array{"HS", "RS", "PS", "ES"}, text.substr(0, 2)) != 0 &&
                     std::ranges::count(std::array{"256", "384", "512"}, text.substr(2)) != 0;
  return known ? std::optional{std::string{text}} : std::nullopt;
}

// Its bytes are the key, so they are taken as they are.
std::optional<std::string> parse_token_secret(std::string_view text) {
  const bool fits = text.size() >= 32 && text.size() <= 512;
  return fits ? std::optional{std::string{text}} : std::nullopt;
}

std::optional<std::string> parse_token_text(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 256;
  return fits ? std::optional{std::string{text}} : std::nullopt;
}

}  // namespace

constexpr TextRule<std::string> kRealmRule{
    parse_realm, "1 to 127 characters without quotes, backslashes, controls and other invisible characters"};
constexpr TextRule<std::string> kUserNameRule{parse_user_name,
                                              "1 to 508 bytes without colons, control and other invisible characters"};
constexpr TextRule<std::string> kPasswordRule{
    parse_password, "a string of 1 to 508 bytes without control and other invisible characters", true};
constexpr TextRule<std::string> kSharedSecretRule{parse_secret, "a string of 1 to 508 bytes without control characters",
                                                  true};
constexpr TextRule<std::string> kTokenAlgorithmRule{
    parse_token_algorithm, "an algorithm for signatures: HS256, RS256, PS256 or ES256, or one of them with 384 or 512"};
constexpr TextRule<std::string> kTokenSecretRule{parse_token_secret, "a string of 32 to 512 bytes", true};
constexpr TextRule<std::string> kTokenTextRule{parse_token_text, "1 to 256 bytes"};
constexpr TextRule<std::string> kServerNameRule{parse_server_name, "a host name"};
constexpr TextRule<Endpoint> kEndpointRule{
    parse_endpoint, "an address with a port, like \"203.0.113.8:3478\" or \"[2001:db8::8]:3478\""};
constexpr TextRule<std::string> kSystemUserRule{parse_system_user, "the name of a user of this machine, or null"};
constexpr TextRule<std::string> kHostRule{parse_host,
                                          "a host name or an IP address without port and brackets, or null"};
constexpr TextRule<std::string> kOriginRule{
    parse_origin, "a scheme, a host and perhaps a port, as in \"https://example.org\", without a slash at the end"};
constexpr TextRule<IpAddress> kAddressRule{IpAddress::parse, "an IP address"};
constexpr TextRule<IpAddress> kUnicastAddressRule{parse_unicast, "an IP address of one machine"};
constexpr TextRule<Prefix> kPrefixRule{
    Prefix::parse, "a prefix like \"10.0.0.0/8\" or \"fd00::/8\" with no bits set behind its length"};

constexpr TextRule<ExternalAddress> kExternalAddressRule{
    parse_external_address,
    "the IP address of one machine or a host name, alone or with a slash and the local IP address that it stands for"};

std::optional<std::string> common_to(const ExternalAddress& one, const ExternalAddress& other) {
  if (one.local != other.local) return std::nullopt;
  if (one.local) return one.local->to_string();
  if (!one.address && !other.address) return "every address";
  if (!one.address || !other.address || one.address->family() != other.address->family()) return std::nullopt;
  return one.address->is_v4() ? "every IPv4 address" : "every IPv6 address";
}

}  // namespace causeway::config
