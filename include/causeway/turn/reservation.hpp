// SPDX-License-Identifier: Apache-2.0
// Reserved relay ports (RFC 8656 §7.2, EVEN-PORT with the R bit): an open socket next to an allocation's, kept for 30
// seconds for whoever comes with its token and the same realm and username. It counts against the quota like an
// allocation.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/timer_queue.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/quota.hpp"
#include "causeway/turn/relay.hpp"

namespace causeway::turn {

using ReservationToken = std::array<std::uint8_t, 8>;  // random: knowing it is the right to use it

struct Reservation : Timer {
  ReservationToken token{};
  Relay relay;
  RealmIndex realm = 0;
  std::string username;
  Quota::Hold quota;
};

class ReservationTable {
 public:
  static constexpr std::chrono::seconds kLifetime{30};

  // The token is new.
  void add(std::unique_ptr<Reservation> reservation, TimePoint expires_at);
  // nullptr for a token that is unknown, expired or another user's.
  std::unique_ptr<Reservation> take(const ReservationToken& token, RealmIndex realm, std::string_view username);
  // One whose time is over; nullptr when there is none.
  std::unique_ptr<Reservation> take_expired(TimePoint now);
  // Any one; nullptr when there is none.
  std::unique_ptr<Reservation> take_any();
  std::optional<TimePoint> next_deadline() const noexcept { return timers_.next_deadline(); }
  std::size_t size() const noexcept { return by_token_.size(); }

 private:
  using ByToken = std::map<ReservationToken, std::unique_ptr<Reservation>>;
  std::unique_ptr<Reservation> take(ByToken::iterator found);

  ByToken by_token_;
  TimerQueue<Reservation> timers_;
};

}  // namespace causeway::turn
