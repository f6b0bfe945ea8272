// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/peer_policy.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace causeway::turn {
namespace {

// IPv4: the special-purpose ranges of the IANA registry, and multicast.
constexpr std::array<std::string_view, 15> kDeniedV4{
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};

// IPv6: all that lies outside of 2000::/3, then special-purpose ranges, which a prefix of the operator opens only when
// it is as long as theirs. The last is a cloud's metadata service, denied even in a LAN.
constexpr std::array<std::string_view, 25> kDeniedV6{
    "::/3",      "4000::/3",  "6000::/3",  "8000::/3",         "a000::/3",        "c000::/3",     "e000::/3",
    "::/128",    "::1/128",   "::/96",     "::ffff:0:0/96",    "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48",
    "100::/64",  "2001::/23", "2002::/16", "2001:db8::/32",    "3fff::/20",       "5f00::/16",    "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8",  "fd00:ec2::254/128"};

constexpr std::array<std::string_view, 5> kLan{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                               "fc00::/7"};
constexpr std::uint8_t kLoopbackLength = 8;  // 127.0.0.0/8

IpAddress v4_at(Bytes octets, std::size_t position) {
  return IpAddress{
      std::array<std::uint8_t, 4>{octets[position], octets[position + 1], octets[position + 2], octets[position + 3]}};
}

// As a /48 or /56 prefix has it: octet 8 is left out (RFC 6052 §2.2).
IpAddress v4_around_u(Bytes octets, std::size_t position) {
  std::array<std::uint8_t, 4> v4{};
  for (std::uint8_t& octet : v4) {
    if (position == 8) ++position;
    octet = octets[position++];
  }
  return IpAddress{v4};
}

bool starts_with(Bytes octets, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), octets.begin());
}

bool is_6to4(Bytes v6) {  // RFC 3056 §2
  return starts_with(v6, {0x20, 0x02});
}

bool is_teredo(Bytes v6) {  // RFC 4380 §4
  return starts_with(v6, {0x20, 0x01, 0, 0});
}

}  // namespace

EmbeddedAddresses embedded_v4(const IpAddress& address) {
  EmbeddedAddresses found;
  if (address.is_v4() || address.is_unspecified() || address.is_loopback()) return found;
  const Bytes o = address.octets();
  if (starts_with(o, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {  // IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5)
    found.push_back(v4_at(o, 12));
  } else if (starts_with(o, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0})) {  // IPv4-translated (RFC 7915 §1.2, SIIT)
    found.push_back(v4_at(o, 12));
  } else if (is_6to4(o)) {
    found.push_back(v4_at(o, 2));
  } else if (starts_with(o, {0x00, 0x64, 0xff, 0x9b, 0, 1})) {  // local NAT64 (RFC 8215): any length of RFC 6052 §2.2
    for (const IpAddress& v4 : {v4_around_u(o, 6), v4_around_u(o, 7), v4_at(o, 9), v4_at(o, 12)}) {
      if (v4.octets()[0] != 0) found.push_back(v4);  // a zero is the padding of another length; 0/8 leads nowhere
    }
  } else if (starts_with(o, {0x00, 0x64, 0xff, 0x9b})) {  // NAT64 (RFC 6052 §2.1)
    found.push_back(v4_at(o, 12));
  } else if (is_teredo(o)) {  // the server, and the client with its bits inverted
    found.push_back(v4_at(o, 4));
    const std::array<std::uint8_t, 4> client = {static_cast<std::uint8_t>(~o[12]), static_cast<std::uint8_t>(~o[13]),
                                                static_cast<std::uint8_t>(~o[14]), static_cast<std::uint8_t>(~o[15])};
    found.push_back(IpAddress{client});
  }
  return found;
}

bool is_tunneled(const IpAddress& address) noexcept {
  return !address.is_v4() && (is_6to4(address.octets()) || is_teredo(address.octets()));
}

PeerPolicy::PeerPolicy(const PeerPolicyOptions& options) {
  for (const std::string_view text : kDeniedV4)
    rules_.push_back({*Prefix::parse(text), Verdict::kBuiltInDeny});
  for (const std::string_view text : kDeniedV6)
    rules_.push_back({*Prefix::parse(text), Verdict::kBuiltInDeny});
  if (options.lan) {
    for (const std::string_view text : kLan)
      rules_.push_back({*Prefix::parse(text), Verdict::kBuiltInAllow});
  }
  for (const Prefix& prefix : options.allow)
    rules_.push_back({prefix, Verdict::kAllow});
  for (const Prefix& prefix : options.deny)
    rules_.push_back({prefix, Verdict::kDeny});
  std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) {
    if (a.prefix.length() != b.prefix.length()) return a.prefix.length() > b.prefix.length();
    return a.verdict > b.verdict;
  });
}

const PeerPolicy::Rule* PeerPolicy::rule_for(const IpAddress& address) const noexcept {
  for (const Rule& rule : rules_) {
    if (rule.prefix.contains(address)) return &rule;
  }
  return nullptr;
}

bool PeerPolicy::allows(const IpAddress& peer) const noexcept {
  const auto is_allowed = [this](const IpAddress& address) {
    const Rule* const rule = rule_for(address);
    return rule == nullptr || rule->verdict == Verdict::kAllow || rule->verdict == Verdict::kBuiltInAllow;
  };
  const EmbeddedAddresses embedded = embedded_v4(peer);
  return is_allowed(peer) && std::all_of(embedded.begin(), embedded.end(), is_allowed);
}

bool PeerPolicy::opens_own_address(const IpAddress& own) const noexcept {
  const Rule* const rule = rule_for(own);
  if (rule == nullptr || rule->verdict != Verdict::kAllow || !allows(own)) return false;
  return rule->prefix.is_host() || (own.is_loopback() && rule->prefix.length() >= kLoopbackLength);
}

}  // namespace causeway::turn
