// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/allocation_table.hpp"

#include <utility>

namespace causeway::turn {

AllocationTable::AllocationTable(std::uint64_t hash_seed, std::optional<WorkerIndex> worker)
    : worker_(worker), by_five_tuple_(0, FiveTupleHash{hash_seed}), by_relayed_(0, EndpointHash{hash_seed}) {}

void AllocationTable::reserve(std::size_t allocations, std::size_t relays, bool mobility) {
  slots_.reserve(relays);
  free_slots_.reserve(relays);
  by_five_tuple_.reserve(mobility ? 2 * allocations : allocations);  // where each is, and where it goes
  if (mobility) by_mobile_id_.reserve(allocations);
  by_relayed_.reserve(2 * relays);
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

Allocation& AllocationTable::insert(std::unique_ptr<Allocation> inserted) {
  Allocation& allocation = *inserted;
  by_five_tuple_.emplace(allocation.client.five_tuple, &allocation);
  for (const Relay& relay : allocation.relays) {
    by_relayed_.emplace(relay.local, &allocation);
    by_relayed_.emplace(relay.relayed_address, &allocation);
    slots_[relay.id.slot].allocation = &allocation;
    wake_at(allocation, relay.expires_at);
  }
  slots_[allocation.relays.front().id.slot].owned = std::move(inserted);
  ++size_;
  return allocation;
}

std::unique_ptr<Allocation> AllocationTable::remove(Allocation& allocation) noexcept {
  timers_.cancel(allocation);
  std::unique_ptr<Allocation> removed = std::move(slots_[allocation.relays.front().id.slot].owned);
  for (const Relay& relay : allocation.relays)
    forget_relay(relay);
  const auto& mobility = allocation.mobility;
  if (!mobility || !mobility->is_away) by_five_tuple_.erase(allocation.client.five_tuple);
  if (mobility && mobility->next) by_five_tuple_.erase(mobility->next->five_tuple);
  if (mobility) by_mobile_id_.erase(mobility->id);
  --size_;
  return removed;
}

void AllocationTable::remove_relay(Allocation& allocation, const Relay& relay) noexcept {
  std::unique_ptr<Allocation> owned = std::move(slots_[allocation.relays.front().id.slot].owned);
  forget_relay(relay);
  allocation.relays.erase(allocation.relays.begin() + (&relay - allocation.relays.data()));
  slots_[allocation.relays.front().id.slot].owned = std::move(owned);
}

void AllocationTable::forget_relay(const Relay& relay) noexcept {
  by_relayed_.erase(relay.local);
  by_relayed_.erase(relay.relayed_address);
  slots_[relay.id.slot].allocation = nullptr;
  give_back(relay.id);
}

void AllocationTable::make_mobile(Allocation& allocation) {
  do {
    ++last_mobile_id_;
    if (worker_) last_mobile_id_ = with_worker(last_mobile_id_, *worker_);
  } while (by_mobile_id_.contains(last_mobile_id_));
  by_mobile_id_.emplace(last_mobile_id_, &allocation);
  allocation.mobility = Mobility{.id = last_mobile_id_};
}

void AllocationTable::begin_move(Allocation& allocation, const ClientRef& next) {
  Mobility& mobility = *allocation.mobility;
  by_five_tuple_.emplace(next.five_tuple, &allocation);
  if (mobility.next) abandon_move(allocation);
  if (mobility.is_away) {
    allocation.client = next;
    mobility.is_away = false;
  } else {
    mobility.next = next;
  }
}

void AllocationTable::finish_move(Allocation& allocation) noexcept {
  Mobility& mobility = *allocation.mobility;
  by_five_tuple_.erase(allocation.client.five_tuple);
  allocation.client = *mobility.next;
  mobility.next.reset();
}

void AllocationTable::abandon_move(Allocation& allocation) noexcept {
  by_five_tuple_.erase(allocation.mobility->next->five_tuple);
  allocation.mobility->next.reset();
}

void AllocationTable::set_away(Allocation& allocation) noexcept {
  by_five_tuple_.erase(allocation.client.five_tuple);
  allocation.mobility->is_away = true;
}

Allocation* AllocationTable::find(const FiveTuple& five_tuple) const noexcept {
  const auto found = by_five_tuple_.find(five_tuple);
  return found == by_five_tuple_.end() ? nullptr : found->second;
}

Allocation* AllocationTable::find_mobile(std::uint32_t id) const noexcept {
  const auto found = by_mobile_id_.find(id);
  return found == by_mobile_id_.end() ? nullptr : found->second;
}

Allocation* AllocationTable::find(RelayId relay) const noexcept {
  if (relay.slot >= slots_.size() || slots_[relay.slot].generation != relay.generation) return nullptr;
  return slots_[relay.slot].allocation;
}

Allocation* AllocationTable::find_relayed(const Endpoint& endpoint) const noexcept {
  const auto found = by_relayed_.find(endpoint);
  return found == by_relayed_.end() ? nullptr : found->second;
}

void AllocationTable::wake_at(Allocation& allocation, TimePoint deadline) {
  if (!allocation.scheduled() || deadline < allocation.deadline()) timers_.schedule(allocation, deadline);
}

}  // namespace causeway::turn
