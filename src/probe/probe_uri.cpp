// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_uri.hpp"

#include <algorithm>
#include <charconv>

#include "config/text_rules.hpp"

namespace causeway::probe {
namespace {

constexpr std::string_view kForm = "A URI looks like turn:turn.example.org:3478?transport=tcp";

std::string lower(std::string_view text) {
  std::string lowered{text};
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lowered;
}

UriError error(std::string_view sentence) {
  return {std::string{sentence} + ". " + std::string{kForm} + "."};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Takes the host from the front of `rest`.
std::optional<std::string> take_host(std::string_view& rest) {
  std::string_view host;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    const auto address = IpAddress::parse(host);
    if (!address || address->is_v4()) return std::nullopt;
    return std::string{host};
  }
  host = rest.substr(0, rest.find(':'));
  rest.remove_prefix(host.size());
  return config::kHostRule.parse(host);
}

}  // namespace

std::string_view name_of(ProbeTransport transport) {
  switch (transport) {
    case ProbeTransport::kUdp:
      return "udp";
    case ProbeTransport::kTcp:
      return "tcp";
    case ProbeTransport::kTls:
      return "tls";
    case ProbeTransport::kDtls:
      return "dtls";
  }
  return {};
}

std::uint16_t ProbeUri::port_or_default() const noexcept {
  // RFC 8489 §8.1, RFC 8656 §3: 3478, and 5349 over TLS and DTLS.
  return port.value_or(is_secure(transport) ? 5349 : 3478);
}

Result<ProbeUri, UriError> parse_probe_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return error("The URI has no scheme: stun, stuns, turn or turns");
  const std::string scheme = lower(text.substr(0, colon));
  const bool secure = scheme == "stuns" || scheme == "turns";
  ProbeUri uri;
  uri.turn = scheme == "turn" || scheme == "turns";
  if (!uri.turn && scheme != "stun" && scheme != "stuns") {
    return error("The scheme must be stun, stuns, turn or turns");
  }
  uri.transport = secure ? ProbeTransport::kTls : ProbeTransport::kUdp;

  std::string_view rest = text.substr(colon + 1);
  std::string query;
  if (const auto mark = rest.find('?'); mark != std::string_view::npos) {
    query = lower(rest.substr(mark + 1));
    rest = rest.substr(0, mark);
    if (!uri.turn) return error("A " + scheme + " URI takes no transport (RFC 7064); use turn or turns");
    if (query != "transport=udp" && query != "transport=tcp") {
      return error("Behind the question mark only transport=udp or transport=tcp may stand");
    }
  }
  if (rest.starts_with("//")) return error("There are no slashes behind the scheme");
  if (rest.find('@') != std::string_view::npos) {
    return error("The user is no part of the URI; give --user and --password");
  }
  // RFC 7065 §3.1: a secure transport over UDP is DTLS.
  if (secure && query == "transport=udp") uri.transport = ProbeTransport::kDtls;
  if (!secure && query == "transport=tcp") uri.transport = ProbeTransport::kTcp;
  uri.transport_is_free = uri.turn && query.empty();

  const auto host = take_host(rest);
  if (!host) return error("The host must be a name, an IPv4 address, or an IPv6 address in brackets");
  uri.host = *host;
  if (rest.empty()) return uri;
  uri.port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (!uri.port) return error("The port must be a number from 1 to 65535");
  return uri;
}

}  // namespace causeway::probe
