// SPDX-License-Identifier: Apache-2.0
// Owns all allocations and finds them by five-tuple, by relay and by relayed transport address. Each relay has a slot
// of its own, which is used again with another generation, so a stale RelayId finds nothing.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "causeway/base/timer_queue.hpp"
#include "causeway/turn/allocation.hpp"

namespace causeway::turn {

class AllocationTable {
 public:
  explicit AllocationTable(std::uint64_t hash_seed);

  std::size_t size() const noexcept { return by_five_tuple_.size(); }
  void reserve(std::size_t allocations, std::size_t relays);

  // Takes a slot, so that its socket can be opened before there is an allocation, or without one.
  RelayId take_relay();
  void give_back(RelayId relay) noexcept;
  // The allocation's client and its relays, taken before, are set.
  Allocation& insert(std::unique_ptr<Allocation> allocation);
  // Takes it out of all indexes and the timer queue.
  std::unique_ptr<Allocation> remove(Allocation& allocation) noexcept;
  // Takes one of its relays away and leaves it at least one.
  void remove_relay(Allocation& allocation, const Relay& relay) noexcept;

  Allocation* find(const FiveTuple& five_tuple) const noexcept;
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
      Allocation* const allocation = slots_[i].allocation;
      if (allocation != nullptr && allocation->relays.front().id.slot == i) visit(*allocation);
    }
  }

 private:
  void forget_relay(const Relay& relay) noexcept;

  struct Slot {
    Allocation* allocation = nullptr;
    std::uint32_t generation = 1;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  boost::unordered_flat_map<FiveTuple, std::unique_ptr<Allocation>, FiveTupleHash> by_five_tuple_;
  boost::unordered_flat_map<Endpoint, Allocation*, EndpointHash> by_relayed_;  // advertised and local
  TimerQueue<Allocation> timers_;
};

}  // namespace causeway::turn
