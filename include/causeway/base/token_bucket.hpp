// SPDX-License-Identifier: Apache-2.0
// A token bucket: so many tokens a second, and a burst of what a full one holds. It is one point in time, that at which
// the bucket would be full again, so an unused bucket costs nothing and needs no timer. The rate is handed in and may
// change between two calls.
#pragma once

#include <algorithm>
#include <cstdint>

#include "causeway/base/time.hpp"

namespace causeway {

struct TokenRate {
  std::uint64_t per_second = 0;              // 0: no limit
  Duration burst = std::chrono::seconds{1};  // no less than one token takes

  constexpr Duration time_of(std::uint64_t tokens) const noexcept {
    return std::chrono::nanoseconds{tokens * 1'000'000'000 / per_second};
  }
};

class TokenBucket {
 public:
  // True while one token is left.
  bool has_tokens(const TokenRate& rate, TimePoint now) const noexcept {
    return rate.per_second == 0 || full_at_ - now + rate.time_of(1) <= rate.burst;
  }
  // Until one token is left; zero when one is.
  Duration time_to_token(const TokenRate& rate, TimePoint now) const noexcept {
    if (has_tokens(rate, now)) return Duration::zero();
    return full_at_ - now + rate.time_of(1) - rate.burst;
  }
  // Takes `count` tokens, more than there are if need be: what is too large for the burst passes and is paid for by a
  // longer wait. The caller has asked has_tokens().
  void take(const TokenRate& rate, std::uint64_t count, TimePoint now) noexcept {
    if (rate.per_second == 0) return;
    full_at_ = std::max(full_at_, now) + rate.time_of(count);
  }
  bool is_unused() const noexcept { return full_at_ == TimePoint{}; }
  bool is_full(TimePoint now) const noexcept { return full_at_ <= now; }

 private:
  TimePoint full_at_{};
};

}  // namespace causeway
