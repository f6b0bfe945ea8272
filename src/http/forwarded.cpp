// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "http/header_text.hpp"

namespace causeway::http {
namespace {

using boost::beast::http::fields;

constexpr std::string_view kXForwardedFor = "X-Forwarded-For";
constexpr std::string_view kXForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwarded = "Forwarded";

// What one proxy says of whom it was asked by.
struct Hop {
  std::string node{};   // empty: nothing
  std::string proto{};  // the same
};

// All values of one field, in order (RFC 9110 §5.3).
std::string combined(const fields& header, std::string_view name) {
  std::string text;
  const auto [begin, end] = header.equal_range(name);
  for (auto at = begin; at != end; ++at) {
    if (at != begin) text += ',';
    text += at->value();
  }
  return text;
}

// RFC 9110 §5.6.2
bool is_token_character(char c) noexcept {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const char letter = static_cast<char>(c | 0x20);
  return (c >= '0' && c <= '9') || (letter >= 'a' && letter <= 'z') || kOthers.find(c) != std::string_view::npos;
}

std::string_view take_token(std::string_view& rest) noexcept {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_token_character);
  const std::string_view token = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

// RFC 9110 §5.6.4. `rest` begins with the quotation mark.
std::optional<std::string> take_quoted_string(std::string_view& rest) {
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    text += rest[i];
  }
  return std::nullopt;
}

// One forwarded-pair (RFC 7239 §4). False: it is none.
bool take_pair(std::string_view& rest, Hop& hop) {
  const std::string_view name = take_token(rest);
  if (name.empty() || !rest.starts_with('=')) return false;
  rest.remove_prefix(1);
  const auto value = rest.starts_with('"') ? take_quoted_string(rest) : std::string(take_token(rest));
  if (!value || value->empty()) return false;
  std::string* wanted = equal_ignoring_case(name, "for")     ? &hop.node
                        : equal_ignoring_case(name, "proto") ? &hop.proto
                                                             : nullptr;
  if (wanted == nullptr) return true;
  if (!wanted->empty()) return false;  // no parameter comes twice
  *wanted = *value;
  return true;
}

std::optional<std::vector<Hop>> forwarded_hops(std::string_view rest) {
  std::vector<Hop> hops;
  while (!(rest = trim(rest)).empty()) {
    if (rest.front() == ',') {  // RFC 9110 §5.6.1.2: empty elements of a list are ignored
      rest.remove_prefix(1);
      continue;
    }
    Hop& hop = hops.emplace_back();
    for (;;) {
      if (!rest.empty() && rest.front() != ';' && rest.front() != ',' && !take_pair(rest, hop)) return std::nullopt;
      rest = trim(rest);
      if (rest.empty() || rest.front() == ',') break;
      if (rest.front() != ';') return std::nullopt;
      rest = trim(rest.substr(1));
    }
  }
  return hops;
}

// The scheme is seldom said for each hop: the last one holds for all.
std::vector<Hop> x_forwarded_hops(std::string_view nodes, std::string_view schemes) {
  const std::string_view scheme = trim(schemes.substr(schemes.rfind(',') + 1));
  std::vector<Hop> hops;
  while (!nodes.empty()) {
    const std::string_view node = next_part(nodes, ',');
    if (!node.empty()) hops.push_back({std::string(node), std::string(scheme)});
  }
  return hops;
}

bool is_node_port(std::string_view text) noexcept {
  const auto is_allowed = [](char c) { return is_token_character(c); };  // RFC 7239 §6: also obfuscated ones
  return !text.empty() && std::all_of(text.begin(), text.end(), is_allowed);
}

struct Node {
  std::optional<IpAddress> address{};  // nullopt: unknown, or a name that only the proxy understands
};

// RFC 7239 §6, and what is found in X-Forwarded-For: IPv6 without brackets.
std::optional<Node> parse_node(std::string_view text) {
  if (text.empty()) return Node{};
  if (const auto bare = IpAddress::parse(text)) return Node{bare->unmapped()};
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return std::nullopt;
  const std::string_view name = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  const std::string_view port = text.substr(std::min(text.size(), end + (bracketed ? 1 : 0)));
  if (!port.empty() && (port.front() != ':' || !is_node_port(port.substr(1)))) return std::nullopt;
  if (!bracketed && (equal_ignoring_case(name, "unknown") || name.starts_with('_'))) return Node{};
  const auto address = IpAddress::parse(name);
  if (!address || address->is_v4() == bracketed) return std::nullopt;
  return Node{address->unmapped()};
}

}  // namespace

std::string_view name_of(ForwardedHeader header) noexcept {
  return header == ForwardedHeader::kForwarded ? kForwarded : kXForwardedFor;
}

bool TrustedProxies::contain(const IpAddress& address) const noexcept {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool is_forwarded(const fields& header) {
  return header.count(kXForwardedFor) > 0 || header.count(kForwarded) > 0;
}

std::optional<ForwardedClient> client_behind(const ForwardedClient& sender, const fields& header,
                                             const TrustedProxies& proxies) {
  const auto hops = proxies.header == ForwardedHeader::kForwarded
                        ? forwarded_hops(combined(header, kForwarded))
                        : x_forwarded_hops(combined(header, kXForwardedFor), combined(header, kXForwardedProto));
  if (!hops) return std::nullopt;
  ForwardedClient client = sender;
  for (auto hop = hops->rbegin(); hop != hops->rend() && proxies.contain(client.address); ++hop) {
    const auto node = parse_node(hop->node);
    if (!node) return std::nullopt;
    if (!hop->proto.empty()) {
      client.is_tls = equal_ignoring_case(hop->proto, "https") || equal_ignoring_case(hop->proto, "wss");
    }
    if (!node->address) break;
    client.address = *node->address;
  }
  return client;
}

}  // namespace causeway::http
