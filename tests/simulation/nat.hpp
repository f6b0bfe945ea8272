// SPDX-License-Identifier: Apache-2.0
// A network address translator in the terms of RFC 4787: how it maps and what it lets in. External ports are never used
// twice, so that a packet can reach another host than its sender meant only through a fault of the server.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway::simulation {

enum class NatKind : std::uint8_t {
  kFullCone,           // one mapping for all destinations, open to everybody
  kAddressRestricted,  // … open to the addresses that were written to
  kPortRestricted,     // … open to the transport addresses that were written to
  kSymmetric,          // one mapping for each destination, open to it alone
};

class Nat {
 public:
  Nat(NatKind kind, const IpAddress& external, Duration mapping_lifetime)
      : kind_(kind), external_(external), mapping_lifetime_(mapping_lifetime) {}

  const IpAddress& external() const noexcept { return external_; }

  // What a packet from `inside` to `to` comes from, seen from outside. Makes or renews the mapping.
  Endpoint outbound(const Endpoint& inside, const Endpoint& to, TimePoint now) {
    Mapping& mapping = mapping_of(inside, to, now);
    mapping.used_at = now;
    mapping.written_to.insert(kind_ == NatKind::kAddressRestricted ? Endpoint{to.address, 0} : to);
    return {external_, mapping.port};
  }
  // Who inside gets a packet from `from` to an external port; nullopt when it is not let in.
  std::optional<Endpoint> inbound(const Endpoint& from, std::uint16_t port, TimePoint now) const {
    const auto inside = by_port_.find(port);
    if (inside == by_port_.end()) return std::nullopt;
    const auto found = mappings_.find(inside->second);
    const Mapping& mapping = found->second;
    if (mapping.used_at + mapping_lifetime_ < now) return std::nullopt;
    const Endpoint sender = kind_ == NatKind::kAddressRestricted ? Endpoint{from.address, 0} : from;
    if (kind_ != NatKind::kFullCone && !mapping.written_to.contains(sender)) return std::nullopt;
    return found->first.inside;
  }
  // The mapping there is now, without renewing it.
  std::optional<Endpoint> mapped(const Endpoint& inside, const Endpoint& to, TimePoint now) const {
    const auto found = mappings_.find(key_of(inside, to));
    if (found == mappings_.end() || found->second.used_at + mapping_lifetime_ < now) return std::nullopt;
    return Endpoint{external_, found->second.port};
  }
  // It restarts: everybody gets another port.
  void forget() {
    mappings_.clear();
    by_port_.clear();
  }

 private:
  struct Key {
    Endpoint inside;
    Endpoint to;  // of a symmetric NAT only
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Mapping {
    std::uint16_t port = 0;
    TimePoint used_at;
    std::set<Endpoint> written_to;
  };
  Key key_of(const Endpoint& inside, const Endpoint& to) const {
    return {inside, kind_ == NatKind::kSymmetric ? to : Endpoint{}};
  }
  Mapping& mapping_of(const Endpoint& inside, const Endpoint& to, TimePoint now) {
    const Key key = key_of(inside, to);
    const auto found = mappings_.find(key);
    if (found != mappings_.end() && found->second.used_at + mapping_lifetime_ >= now) return found->second;
    if (found != mappings_.end()) by_port_.erase(found->second.port);
    Mapping& mapping = mappings_.insert_or_assign(key, Mapping{next_port_++, now, {}}).first->second;
    by_port_.emplace(mapping.port, key);
    return mapping;
  }

  NatKind kind_;
  IpAddress external_;
  Duration mapping_lifetime_;
  std::uint16_t next_port_ = 1024;
  std::map<Key, Mapping> mappings_;
  std::map<std::uint16_t, Key> by_port_;
};

}  // namespace causeway::simulation
