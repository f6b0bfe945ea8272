// SPDX-License-Identifier: Apache-2.0
// A pool that strangers share, where the largest holder gives first. Each item belongs to a source (an IPv4 address or
// an IPv6 /64) and to a group within it, and has an amount: octets, or 1. The holders form a tree:
//
//   the pool ─┬─ IPv6 /48 ── /56 ── /64 ── group ── items, oldest first
//             └─ IPv4 address ───────────── group ── items
//
// oldest_of_largest() follows the largest holder down from the top, so a network with many prefixes counts as one
// holder, and whoever holds little loses nothing as long as somebody holds more. Of equal holders the one that has held
// something for longer gives first. The owner has the limit: it adds an item, and removes items until all fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "causeway/base/endpoint.hpp"

namespace causeway {

class FairPool {
  struct Holder;

 public:
  // Base of what the pool counts. The owner removes it before it dies or moves.
  class Item {
   public:
    bool is_pooled() const noexcept { return holder_ != nullptr; }
    std::size_t amount() const noexcept { return amount_; }

   private:
    friend class FairPool;
    Holder* holder_ = nullptr;  // nullptr: not in a pool
    Item* older_ = nullptr;
    Item* newer_ = nullptr;
    std::size_t amount_ = 0;
  };

  explicit FairPool(std::uint64_t hash_seed) : holders_(0, KeyHash{hash_seed}) {}
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;

  // An item that is in no pool. `group` is any number that the owner tells groups of one source apart by.
  void add(Item& item, const IpAddress& source, std::uint64_t group, std::size_t amount);
  // A pooled item takes so much more.
  void grow(Item& item, std::size_t amount) noexcept;
  // An item of this pool, or of none: then nothing happens.
  void remove(Item& item) noexcept;

  Item* oldest_of_largest() const noexcept;  // nullptr: the pool is empty
  std::size_t amount() const noexcept { return all_.amount; }
  // Of the largest network (site_network).
  std::size_t amount_of_largest() const noexcept { return all_.parts.empty() ? 0 : all_.parts.front()->amount; }

 private:
  enum class Level : std::uint8_t { kAll, kSite, kSubscriber, kSource, kGroup };
  struct Key {
    IpAddress network;
    Level level = Level::kAll;
    std::uint64_t group = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::uint64_t seed = 0;
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Holder {
    Key key{};
    Holder* parent = nullptr;
    std::uint64_t since = 0;  // counts the holders that were made before
    std::size_t amount = 0;
    std::size_t position = 0;      // in the parent's parts
    std::vector<Holder*> parts{};  // a heap with the largest in front; of a group: empty
    Item* oldest = nullptr;        // of a group
    Item* newest = nullptr;
  };

  Holder& holder_of(const IpAddress& source, std::uint64_t group);
  Holder& part_of(Holder& whole, const Key& key);
  void forget_if_empty(Holder& holder) noexcept;
  static bool gives_before(const Holder& one, const Holder& other) noexcept;
  static void add_amount(Holder& holder, std::size_t amount) noexcept;
  static void take_amount(Holder& holder, std::size_t amount) noexcept;
  static void place(Holder& whole, std::size_t position, Holder* part) noexcept;
  static void sift_up(Holder& part) noexcept;
  static void sift_down(Holder& part) noexcept;

  Holder all_;
  std::unordered_map<Key, Holder, KeyHash> holders_;  // keeps its elements in place
  std::uint64_t made_ = 0;
};

}  // namespace causeway
