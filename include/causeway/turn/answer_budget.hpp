// SPDX-License-Identifier: Apache-2.0
// How many answers a stranger gets. Whoever has not proved its address (Binding, and requests that fail to
// authenticate, over UDP) may be a forged source whose owner would get the answers, so they are limited per source: an
// IPv4 address or an IPv6 /64. The table has a fixed size; sources that fall into one place share its tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"
#include "causeway/base/token_bucket.hpp"

namespace causeway::turn {

class AnswerBudget {
 public:
  static constexpr std::size_t kPlaces = 16'384;
  static constexpr std::uint32_t kBurstSeconds = 5;  // a page full of connections asks many times at once

  AnswerBudget(std::uint32_t answers_per_second, std::uint64_t hash_seed);

  void set_rate(std::uint32_t answers_per_second);  // 0: no limit
  // Takes a token. False: no answer.
  bool take(const IpAddress& source, TimePoint now) noexcept;

 private:
  TokenRate rate_;
  IpAddressHash hash_;
  std::vector<TokenBucket> places_;
};

}  // namespace causeway::turn
