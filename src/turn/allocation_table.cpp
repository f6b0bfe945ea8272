// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/allocation_table.hpp"

#include <utility>

namespace causeway::turn {

AllocationTable::AllocationTable(std::uint64_t hash_seed)
    : by_five_tuple_(0, FiveTupleHash{hash_seed}), by_relayed_(0, EndpointHash{hash_seed}) {}

void AllocationTable::reserve(std::size_t allocations) {
  slots_.reserve(allocations);
  free_slots_.reserve(allocations);
  by_five_tuple_.reserve(allocations);
  by_relayed_.reserve(2 * allocations);
  timers_.reserve(allocations);
}

RelayId AllocationTable::take_relay() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    free_slots_.reserve(slots_.size());  // give_back() never allocates
    return {static_cast<std::uint32_t>(slots_.size() - 1), slots_.back().generation};
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return {slot, slots_[slot].generation};
}

void AllocationTable::give_back(RelayId relay) noexcept {
  ++slots_[relay.slot].generation;
  free_slots_.push_back(relay.slot);
}

Allocation& AllocationTable::insert(std::unique_ptr<Allocation> allocation) {
  const RelayId id = allocation->relay;
  by_five_tuple_.emplace(allocation->client.five_tuple, id.slot);
  by_relayed_.emplace(allocation->local, id.slot);
  by_relayed_.emplace(allocation->relayed_address, id.slot);
  timers_.schedule(*allocation, allocation->expires_at);
  Slot& slot = slots_[id.slot];
  slot.allocation = std::move(allocation);
  return *slot.allocation;
}

std::unique_ptr<Allocation> AllocationTable::remove(Allocation& allocation) noexcept {
  timers_.cancel(allocation);
  by_five_tuple_.erase(allocation.client.five_tuple);
  by_relayed_.erase(allocation.local);
  by_relayed_.erase(allocation.relayed_address);
  const RelayId relay = allocation.relay;
  std::unique_ptr<Allocation> removed = std::move(slots_[relay.slot].allocation);
  give_back(relay);
  return removed;
}

Allocation* AllocationTable::find(const FiveTuple& five_tuple) const noexcept {
  const auto found = by_five_tuple_.find(five_tuple);
  return found == by_five_tuple_.end() ? nullptr : slots_[found->second].allocation.get();
}

Allocation* AllocationTable::find(RelayId relay) const noexcept {
  if (relay.slot >= slots_.size() || slots_[relay.slot].generation != relay.generation) return nullptr;
  return slots_[relay.slot].allocation.get();
}

Allocation* AllocationTable::find_relayed(const Endpoint& endpoint) const noexcept {
  const auto found = by_relayed_.find(endpoint);
  return found == by_relayed_.end() ? nullptr : slots_[found->second].allocation.get();
}

void AllocationTable::wake_at(Allocation& allocation, TimePoint deadline) {
  if (!allocation.scheduled() || deadline < allocation.deadline()) timers_.schedule(allocation, deadline);
}

}  // namespace causeway::turn
