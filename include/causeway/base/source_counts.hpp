// SPDX-License-Identifier: Apache-2.0
// How many of something each source has: an IPv4 address or an IPv6 /64. As large as there are sources with at least
// one, so what is counted has a limit of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "causeway/base/endpoint.hpp"

namespace causeway {

class SourceCounts {
 public:
  explicit SourceCounts(std::uint64_t hash_seed) : counts_(0, IpAddressHash{hash_seed}) {}

  std::size_t of(const IpAddress& source) const {
    const auto found = counts_.find(subscriber_network(source));
    return found == counts_.end() ? 0 : found->second;
  }
  void add(const IpAddress& source) { ++counts_[subscriber_network(source)]; }
  // One that was added.
  void remove(const IpAddress& source) {
    const auto found = counts_.find(subscriber_network(source));
    if (--found->second == 0) counts_.erase(found);
  }
  void clear() noexcept { counts_.clear(); }

 private:
  std::unordered_map<IpAddress, std::size_t, IpAddressHash> counts_;
};

}  // namespace causeway
