// SPDX-License-Identifier: Apache-2.0
// Which of the log lines that strangers cause are written: for each reason so many a minute from one source (an IPv4
// address or an IPv6 /64) and so many from all, and the next line says how many were left out. A source that repeats
// itself is stopped by its own limit before it takes from that of all, so it does not silence the others.
//
// Whoever writes the lines owns one and asks it on one thread. The table has a fixed size; sources that fall into one
// place share it. Reasons are the enumerators of one enum, never numbers that a client chooses.
//
//   if (const auto left_out = log_limit_.admit(Reason::kNoHeader, address, now))
//     logger_->warn("...; {} more such lines were left out", *left_out);
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway {

// `burst` lines at once, then one in each interval.
struct LineRate {
  Duration interval{};
  std::uint32_t burst = 1;
};

class LogLimit {
 public:
  static constexpr std::size_t kPlaces = 1024;
  static constexpr LineRate kPerSource{std::chrono::minutes{1}, 1};
  static constexpr LineRate kPerReason{std::chrono::seconds{6}, 10};

  explicit LogLimit(std::uint64_t hash_seed, LineRate per_source = kPerSource, LineRate per_reason = kPerReason);

  // nullopt: the line is left out, and counted. Otherwise write it; the value is how many lines of this reason were
  // left out since the last one that was written, from all sources.
  template <typename Reason>
  std::optional<std::uint64_t> admit(Reason reason, const IpAddress& source, TimePoint now) {
    return admit_line(static_cast<std::uint32_t>(reason), &source, now);
  }
  // A reason that has no source, for example a lack of descriptors.
  template <typename Reason>
  std::optional<std::uint64_t> admit(Reason reason, TimePoint now) {
    return admit_line(static_cast<std::uint32_t>(reason), nullptr, now);
  }

  std::uint64_t left_out() const noexcept { return left_out_; }  // in all

 private:
  struct OfReason {
    std::uint32_t reason;
    TimePoint quiet_at{};  // when the burst is whole again
    std::uint64_t left_out = 0;
  };

  std::optional<std::uint64_t> admit_line(std::uint32_t reason, const IpAddress* source, TimePoint now);
  OfReason& of(std::uint32_t reason);

  LineRate per_source_;
  LineRate per_reason_;
  IpAddressHash hash_;
  std::vector<TimePoint> places_;  // when the burst of the sources of a place is whole again
  std::vector<OfReason> reasons_;  // as many as the enum has
  std::uint64_t left_out_ = 0;
};

}  // namespace causeway
