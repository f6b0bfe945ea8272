// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/source_budget.hpp"

namespace causeway {

SourceBudget::SourceBudget(std::uint32_t per_second, std::uint64_t hash_seed, std::chrono::seconds burst)
    : burst_(burst), hash_{hash_seed} {
  set_rate(per_second);
}

void SourceBudget::set_rate(std::uint32_t per_second) {
  rate_ = {per_second, burst_};
  if (per_second != 0) places_.resize(kPlaces);
}

std::size_t SourceBudget::place_of(const IpAddress& source) const noexcept {
  return hash_(subscriber_network(source)) % kPlaces;
}

bool SourceBudget::has_tokens(const IpAddress& source, TimePoint now) const noexcept {
  return rate_.per_second == 0 || places_[place_of(source)].has_tokens(rate_, now);
}

bool SourceBudget::take(const IpAddress& source, TimePoint now) noexcept {
  if (rate_.per_second == 0) return true;
  TokenBucket& place = places_[place_of(source)];
  if (!place.has_tokens(rate_, now)) return false;
  place.take(rate_, 1, now);
  return true;
}

}  // namespace causeway
