// SPDX-License-Identifier: Apache-2.0
// So many events a second for each source of a network: an IPv4 address or an IPv6 /64. The table has a fixed size, and
// sources that fall into one place share its tokens: nobody can make it grow, and nobody is let off by it.
#pragma once

#include <cstdint>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"
#include "causeway/base/token_bucket.hpp"

namespace causeway {

class SourceBudget {
 public:
  static constexpr std::size_t kPlaces = 16'384;
  static constexpr std::uint32_t kBurstSeconds = 5;  // a page full of connections asks many times at once

  SourceBudget(std::uint32_t per_second, std::uint64_t hash_seed,
               std::chrono::seconds burst = std::chrono::seconds{kBurstSeconds});

  void set_rate(std::uint32_t per_second);  // 0: no limit
  bool has_tokens(const IpAddress& source, TimePoint now) const noexcept;
  // Takes a token. False: there is none.
  bool take(const IpAddress& source, TimePoint now) noexcept;

 private:
  std::size_t place_of(const IpAddress& source) const noexcept;

  Duration burst_;
  TokenRate rate_;
  IpAddressHash hash_;
  std::vector<TokenBucket> places_;
};

}  // namespace causeway
