// SPDX-License-Identifier: Apache-2.0
// How many of something each source has, an IPv4 address or an IPv6 /64, and each site, an IPv4 address or an IPv6 /48.
// As large as there are sources with at least one, so what is counted has a limit of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "causeway/base/endpoint.hpp"

namespace causeway {

class SourceCounts {
 public:
  explicit SourceCounts(std::uint64_t hash_seed)
      : of_sources_(0, IpAddressHash{hash_seed}), of_ipv6_sites_(0, IpAddressHash{hash_seed}) {}

  std::size_t of(const IpAddress& source) const { return count(of_sources_, subscriber_network(source)); }
  std::size_t of_site(const IpAddress& source) const {
    return source.is_v4() ? of(source) : count(of_ipv6_sites_, site_network(source));
  }
  void add(const IpAddress& source) {
    ++of_sources_[subscriber_network(source)];
    if (!source.is_v4()) ++of_ipv6_sites_[site_network(source)];
  }
  // One that was added.
  void remove(const IpAddress& source) noexcept {
    remove(of_sources_, subscriber_network(source));
    if (!source.is_v4()) remove(of_ipv6_sites_, site_network(source));
  }
  void clear() noexcept {
    of_sources_.clear();
    of_ipv6_sites_.clear();
  }

 private:
  using Counts = std::unordered_map<IpAddress, std::size_t, IpAddressHash>;
  static std::size_t count(const Counts& counts, const IpAddress& network) {
    const auto found = counts.find(network);
    return found == counts.end() ? 0 : found->second;
  }
  static void remove(Counts& counts, const IpAddress& network) noexcept {
    const auto found = counts.find(network);
    if (--found->second == 0) counts.erase(found);
  }

  Counts of_sources_;
  Counts of_ipv6_sites_;
};

}  // namespace causeway
