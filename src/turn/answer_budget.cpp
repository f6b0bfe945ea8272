// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/answer_budget.hpp"

#include <algorithm>
#include <array>

namespace causeway::turn {
namespace {

constexpr std::size_t kNetworkOctets = 8;  // of an IPv6 address: a customer's /64

IpAddress source_of(const IpAddress& address) noexcept {
  if (address.is_v4()) return address;
  std::array<std::uint8_t, 16> network{};
  std::copy_n(address.octets().begin(), kNetworkOctets, network.begin());
  return IpAddress{network};
}

}  // namespace

AnswerBudget::AnswerBudget(std::uint32_t answers_per_second, std::uint64_t hash_seed) : hash_{hash_seed} {
  if (answers_per_second == 0) return;
  interval_ = Duration{std::chrono::seconds{1}} / answers_per_second;
  places_.resize(kPlaces);
}

// A token bucket as one time: each token taken moves the moment when the bucket is full again by one interval.
bool AnswerBudget::take(const IpAddress& source, TimePoint now) noexcept {
  if (places_.empty()) return true;
  Place& place = places_[hash_(source_of(source)) % kPlaces];
  const TimePoint full_at = std::max(place.full_at, now) + interval_;
  if (full_at - now > std::chrono::seconds{kBurstSeconds}) return false;
  place.full_at = full_at;
  return true;
}

}  // namespace causeway::turn
