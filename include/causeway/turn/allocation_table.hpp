// SPDX-License-Identifier: Apache-2.0
// Owns all allocations and finds them by five-tuple, by relay and by relayed transport address. Each relay has a slot
// of its own, which is used again with another generation, so a stale RelayId finds nothing.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "causeway/base/timer_queue.hpp"
#include "causeway/turn/allocation.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::turn {

class AllocationTable {
 public:
  // The ids of `worker` begin with its index.
  explicit AllocationTable(std::uint64_t hash_seed, std::optional<WorkerIndex> worker = std::nullopt);

  std::size_t size() const noexcept { return size_; }
  void reserve(std::size_t allocations, std::size_t relays, bool mobility);

  // Takes a slot, so that its socket can be opened before there is an allocation, or without one.
  RelayId take_relay();
  void give_back(RelayId relay) noexcept;
  // The allocation's client and its relays, taken before, are set.
  Allocation& insert(std::unique_ptr<Allocation> allocation);
  // Takes it out of all indexes and the timer queue.
  std::unique_ptr<Allocation> remove(Allocation& allocation) noexcept;
  // Takes one of its relays away and leaves it at least one.
  void remove_relay(Allocation& allocation, const Relay& relay) noexcept;

  // RFC 8016 §3.2.2, in the order in which it happens to one of which make_mobile() has been called. While a move
  // lasts, the client is found by both five-tuples; the one of `next` is nobody's else.
  void make_mobile(Allocation& allocation);
  void begin_move(Allocation& allocation, const ClientRef& next);
  void finish_move(Allocation& allocation) noexcept;   // the former five-tuple is nobody's
  void abandon_move(Allocation& allocation) noexcept;  // the next one is
  void set_away(Allocation& allocation) noexcept;      // found by ticket only, until it moves

  Allocation* find(const FiveTuple& five_tuple) const noexcept;
  Allocation* find_mobile(std::uint32_t id) const noexcept;  // by Mobility::id
  Allocation* find(RelayId relay) const noexcept;
  // By the relayed transport address, as advertised or as bound.
  Allocation* find_relayed(const Endpoint& endpoint) const noexcept;

  // Makes sure that the allocation's timer fires no later than `deadline`.
  void wake_at(Allocation& allocation, TimePoint deadline);
  TimerQueue<Allocation>& timers() noexcept { return timers_; }
  const TimerQueue<Allocation>& timers() const noexcept { return timers_; }

  // `visit` may remove the allocation it is given.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].owned) visit(*slots_[i].owned);
    }
  }

 private:
  void forget_relay(const Relay& relay) noexcept;

  struct Slot {
    Allocation* allocation = nullptr;
    std::unique_ptr<Allocation> owned;  // the same, at its first relay
    std::uint32_t generation = 1;
  };
  std::optional<WorkerIndex> worker_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t size_ = 0;
  boost::unordered_flat_map<FiveTuple, Allocation*, FiveTupleHash> by_five_tuple_;
  boost::unordered_flat_map<std::uint32_t, Allocation*> by_mobile_id_;
  std::uint32_t last_mobile_id_ = 0;
  boost::unordered_flat_map<Endpoint, Allocation*, EndpointHash> by_relayed_;  // advertised and local
  TimerQueue<Allocation> timers_;
};

}  // namespace causeway::turn
