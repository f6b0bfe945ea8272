// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/log_limit.hpp"

#include <algorithm>
#include <utility>

namespace causeway {
namespace {

bool has_room(const LineRate& rate, TimePoint quiet_at, TimePoint now) noexcept {
  return std::max(quiet_at, now) - now + rate.interval <= rate.interval * rate.burst;
}

void take(const LineRate& rate, TimePoint& quiet_at, TimePoint now) noexcept {
  quiet_at = std::max(quiet_at, now) + rate.interval;
}

}  // namespace

LogLimit::LogLimit(std::uint64_t hash_seed, LineRate per_source, LineRate per_reason)
    : per_source_(per_source), per_reason_(per_reason), hash_{hash_seed}, places_(kPlaces) {}

LogLimit::OfReason& LogLimit::of(std::uint32_t reason) {
  const auto found =
      std::find_if(reasons_.begin(), reasons_.end(), [&](const OfReason& entry) { return entry.reason == reason; });
  return found == reasons_.end() ? reasons_.emplace_back(OfReason{.reason = reason}) : *found;
}

std::optional<std::uint64_t> LogLimit::admit_line(std::uint32_t reason, const IpAddress* source, TimePoint now) {
  OfReason& entry = of(reason);
  TimePoint* place = source ? &places_[mix_hash(hash_(subscriber_network(*source)), reason) % kPlaces] : nullptr;
  if ((place && !has_room(per_source_, *place, now)) || !has_room(per_reason_, entry.quiet_at, now)) {
    ++entry.left_out;
    ++left_out_;
    return std::nullopt;
  }
  if (place) take(per_source_, *place, now);
  take(per_reason_, entry.quiet_at, now);
  return std::exchange(entry.left_out, 0);
}

}  // namespace causeway
