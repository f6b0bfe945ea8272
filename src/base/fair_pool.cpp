// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/fair_pool.hpp"

#include "causeway/base/prefix.hpp"

namespace causeway {

std::size_t FairPool::KeyHash::operator()(const Key& key) const noexcept {
  const std::size_t network = IpAddressHash{seed}(key.network);
  return mix_hash(mix_hash(seed, network ^ static_cast<std::uint64_t>(key.level)), key.group);
}

void FairPool::add(Item& item, const IpAddress& source, std::uint64_t group, std::size_t amount) {
  Holder& holder = holder_of(source, group);
  item.holder_ = &holder;
  item.older_ = holder.newest;
  item.newer_ = nullptr;
  item.amount_ = amount;
  (holder.newest != nullptr ? holder.newest->newer_ : holder.oldest) = &item;
  holder.newest = &item;
  add_amount(holder, amount);
}

void FairPool::grow(Item& item, std::size_t amount) noexcept {
  item.amount_ += amount;
  add_amount(*item.holder_, amount);
}

void FairPool::remove(Item& item) noexcept {
  if (!item.is_pooled()) return;
  Holder& holder = *item.holder_;
  (item.older_ != nullptr ? item.older_->newer_ : holder.oldest) = item.newer_;
  (item.newer_ != nullptr ? item.newer_->older_ : holder.newest) = item.older_;
  item.holder_ = nullptr;
  take_amount(holder, item.amount_);
  forget_if_empty(holder);
}

FairPool::Item* FairPool::oldest_of_largest() const noexcept {
  const Holder* holder = &all_;
  while (!holder->parts.empty())
    holder = holder->parts.front();
  return holder->oldest;
}

// --- holders ---

FairPool::Holder& FairPool::holder_of(const IpAddress& source, std::uint64_t group) {
  const Key key{subscriber_network(source), Level::kGroup, group};
  const auto found = holders_.find(key);
  if (found != holders_.end()) return found->second;
  Holder* whole = &all_;
  if (!source.is_v4()) {
    whole = &part_of(*whole, {site_network(source), Level::kSite});
    whole = &part_of(*whole, {Prefix{source, 56}.address(), Level::kSubscriber});
  }
  whole = &part_of(*whole, {subscriber_network(source), Level::kSource});
  return part_of(*whole, key);
}

FairPool::Holder& FairPool::part_of(Holder& whole, const Key& key) {
  const auto [entry, is_new] = holders_.try_emplace(key);
  Holder& part = entry->second;
  if (is_new) {
    part.key = key;
    part.parent = &whole;
    part.since = ++made_;
    part.position = whole.parts.size();
    whole.parts.push_back(&part);  // holds nothing, so it is where it belongs
  }
  return part;
}

void FairPool::forget_if_empty(Holder& holder) noexcept {
  for (Holder* empty = &holder; empty != &all_ && empty->oldest == nullptr && empty->parts.empty();) {
    Holder& whole = *empty->parent;
    Holder* const last = whole.parts.back();
    whole.parts.pop_back();
    if (last != empty) {
      place(whole, empty->position, last);
      sift_up(*last);
      sift_down(*last);
    }
    holders_.erase(holders_.find(empty->key));
    empty = &whole;
  }
}

// --- which one is the largest ---

bool FairPool::gives_before(const Holder& one, const Holder& other) noexcept {
  return one.amount != other.amount ? one.amount > other.amount : one.since < other.since;
}

void FairPool::add_amount(Holder& holder, std::size_t amount) noexcept {
  for (Holder* whole = &holder; whole != nullptr; whole = whole->parent) {
    whole->amount += amount;
    sift_up(*whole);
  }
}

void FairPool::take_amount(Holder& holder, std::size_t amount) noexcept {
  for (Holder* whole = &holder; whole != nullptr; whole = whole->parent) {
    whole->amount -= amount;
    sift_down(*whole);
  }
}

void FairPool::place(Holder& whole, std::size_t position, Holder* part) noexcept {
  whole.parts[position] = part;
  part->position = position;
}

void FairPool::sift_up(Holder& part) noexcept {
  if (part.parent == nullptr) return;
  Holder& whole = *part.parent;
  while (part.position > 0) {
    const std::size_t position = part.position;
    const std::size_t above = (position - 1) / 2;
    if (!gives_before(part, *whole.parts[above])) return;
    place(whole, position, whole.parts[above]);
    place(whole, above, &part);
  }
}

void FairPool::sift_down(Holder& part) noexcept {
  if (part.parent == nullptr) return;
  Holder& whole = *part.parent;
  for (;;) {
    const std::size_t position = part.position;
    std::size_t below = 2 * position + 1;
    if (below >= whole.parts.size()) return;
    if (below + 1 < whole.parts.size() && gives_before(*whole.parts[below + 1], *whole.parts[below])) ++below;
    if (!gives_before(*whole.parts[below], part)) return;
    place(whole, position, whole.parts[below]);
    place(whole, below, &part);
  }
}

}  // namespace causeway
