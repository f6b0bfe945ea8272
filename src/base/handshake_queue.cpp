// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/handshake_queue.hpp"

#include <algorithm>

namespace causeway {
namespace {

// Until so much time has passed that `taken` is no more than its share of it.
Duration time_for(Duration taken, std::uint32_t share_percent) noexcept {
  return taken * 100 / share_percent;
}

}  // namespace

HandshakeQueue::HandshakeQueue(const HandshakeQueueOptions& options, std::uint64_t hash_seed)
    : options_(options), rate_(options.per_second, hash_seed, options.burst), known_(kRemembered, hash_seed) {}

std::optional<HandshakeQueue::Ticket> HandshakeQueue::begin(const IpAddress& source, TimePoint now) {
  const bool is_within_rate = rate_.take(source, now);
  const Priority priority = !is_within_rate                ? Priority::kOverRate
                            : known_.contains(source, now) ? Priority::kKnownSource
                                                           : Priority::kOtherSource;
  const auto ticket = enter(priority);
  if (ticket && !is_within_rate) ++counters_.over_rate;
  return ticket;
}

std::optional<HandshakeQueue::Ticket> HandshakeQueue::enter(Priority priority) {
  if (waiting(priority).size() >= options_.waiting_max) {
    ++counters_.refused;
    return std::nullopt;
  }
  ++counters_.begun;
  waiting(priority).insert(++last_number_);
  return Ticket{priority, last_number_};
}

HandshakeQueue::Ticket HandshakeQueue::go_on() {
  waiting(Priority::kGoesOn).insert(++last_number_);
  return {Priority::kGoesOn, last_number_};
}

void HandshakeQueue::leave(const Ticket& ticket) noexcept {
  waiting(ticket.priority).erase(ticket.number);
}

std::optional<HandshakeQueue::Ticket> HandshakeQueue::next(TimePoint now) {
  const auto turn = next_turn();
  if (!turn || now < *turn) return std::nullopt;
  std::size_t first = 0;
  while (waiting_[first].empty())
    ++first;
  const Ticket ticket{static_cast<Priority>(first), *waiting_[first].begin()};
  leave(ticket);
  return ticket;
}

void HandshakeQueue::on_step(const Ticket& ticket, Duration taken, TimePoint now) noexcept {
  counters_.busy += taken;
  const TimePoint began = now - taken;
  free_at_ = std::max(free_at_, began + time_for(taken, options_.share_percent));
  if (ticket.priority != Priority::kOverRate) return;
  over_rate_free_at_ = std::max(over_rate_free_at_, began + time_for(taken, options_.over_rate_share_percent));
}

bool HandshakeQueue::waits_within_rate() const noexcept {
  return std::any_of(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(Priority::kOverRate),
                     [](const Waiting& waiting) { return !waiting.empty(); });
}

std::optional<TimePoint> HandshakeQueue::next_turn() const noexcept {
  if (waits_within_rate()) return free_at_;
  if (!waiting(Priority::kOverRate).empty()) return std::max(free_at_, over_rate_free_at_);
  return std::nullopt;
}

std::size_t HandshakeQueue::waiting() const noexcept {
  std::size_t all = 0;
  for (const Waiting& waiting : waiting_)
    all += waiting.size();
  return all;
}

}  // namespace causeway
