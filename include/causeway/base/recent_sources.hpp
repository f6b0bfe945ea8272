// SPDX-License-Identifier: Apache-2.0
// Which sources (an IPv4 address or an IPv6 /64) something has happened to lately, for example that a client there has
// authenticated. The table has a fixed size: of two sources that fall into one place the later one is remembered, and
// no source is taken for another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway {

class RecentSources {
 public:
  static constexpr std::size_t kPlaces = 4096;

  RecentSources(Duration remembered, std::uint64_t hash_seed)
      : remembered_(remembered), hash_{hash_seed}, places_(kPlaces) {}

  void add(const IpAddress& source, TimePoint now) noexcept {
    const IpAddress network = subscriber_network(source);
    places_[hash_(network) % kPlaces] = {network, now + remembered_};
  }
  bool contains(const IpAddress& source, TimePoint now) const noexcept {
    const IpAddress network = subscriber_network(source);
    const Place& place = places_[hash_(network) % kPlaces];
    return now < place.forgotten_at && place.network == network;
  }

 private:
  struct Place {
    IpAddress network{};
    TimePoint forgotten_at{};
  };

  Duration remembered_;
  IpAddressHash hash_;
  std::vector<Place> places_;
};

}  // namespace causeway
