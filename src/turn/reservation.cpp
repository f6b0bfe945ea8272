// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/reservation.hpp"

namespace causeway::turn {

void ReservationTable::add(std::unique_ptr<Reservation> reservation, TimePoint expires_at) {
  timers_.schedule(*reservation, expires_at);
  const ReservationToken token = reservation->token;
  by_token_.emplace(token, std::move(reservation));
}

std::unique_ptr<Reservation> ReservationTable::take(const ReservationToken& token, RealmIndex realm,
                                                    std::string_view username) {
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return nullptr;
  if (found->second->realm != realm || found->second->username != username) return nullptr;
  return take(found);
}

std::unique_ptr<Reservation> ReservationTable::take_expired(TimePoint now) {
  const Reservation* expired = timers_.pop_expired(now);
  return expired == nullptr ? nullptr : take(by_token_.find(expired->token));
}

std::unique_ptr<Reservation> ReservationTable::take_any() {
  return by_token_.empty() ? nullptr : take(by_token_.begin());
}

std::unique_ptr<Reservation> ReservationTable::take(ByToken::iterator found) {
  std::unique_ptr<Reservation> reservation = std::move(found->second);
  by_token_.erase(found);
  timers_.cancel(*reservation);
  return reservation;
}

}  // namespace causeway::turn
