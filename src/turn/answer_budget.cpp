// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/answer_budget.hpp"

namespace causeway::turn {

AnswerBudget::AnswerBudget(std::uint32_t answers_per_second, std::uint64_t hash_seed) : hash_{hash_seed} {
  set_rate(answers_per_second);
}

void AnswerBudget::set_rate(std::uint32_t answers_per_second) {
  rate_ = {answers_per_second, std::chrono::seconds{kBurstSeconds}};
  if (answers_per_second != 0) places_.resize(kPlaces);
}

bool AnswerBudget::take(const IpAddress& source, TimePoint now) noexcept {
  if (rate_.per_second == 0) return true;
  TokenBucket& place = places_[hash_(subscriber_network(source)) % kPlaces];
  if (!place.has_tokens(rate_, now)) return false;
  place.take(rate_, 1, now);
  return true;
}

}  // namespace causeway::turn
