// SPDX-License-Identifier: Apache-2.0
// Finds the entries of a vector by a key of theirs. A few are looked through, which takes no memory; from kScannedMax
// on there is a hash table beside them. The owner of the vector tells of each change.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace causeway {

template <class Entry, auto key, class Hash>
class EntryIndex {  // key: a pointer to a member of Entry
 public:
  using Key = std::remove_cvref_t<decltype(std::declval<Entry>().*key)>;
  static constexpr std::size_t kScannedMax = 8;

  explicit EntryIndex(Hash hash = {}) : hash_(hash) {}

  // nullptr when there is none.
  const Entry* find(const std::vector<Entry>& entries, const Key& wanted) const noexcept {
    if (by_key_) {
      const auto found = by_key_->find(wanted);
      return found == by_key_->end() ? nullptr : &entries[found->second];
    }
    for (const Entry& entry : entries) {
      if (entry.*key == wanted) return &entry;
    }
    return nullptr;
  }

  // One has been appended.
  void on_added(const std::vector<Entry>& entries) {
    if (by_key_) {
      by_key_->emplace(entries.back().*key, static_cast<std::uint32_t>(entries.size() - 1));
    } else if (entries.size() > kScannedMax) {
      rebuild(entries);
    }
  }

  // Some have been removed.
  void on_removed(const std::vector<Entry>& entries) {
    if (by_key_) rebuild(entries);
  }

 private:
  using ByKey = boost::unordered_flat_map<Key, std::uint32_t, Hash>;

  void rebuild(const std::vector<Entry>& entries) {
    by_key_.reset();
    if (entries.size() <= kScannedMax) return;
    by_key_ = std::make_unique<ByKey>(2 * entries.size(), hash_);
    for (std::size_t i = 0; i < entries.size(); ++i)
      by_key_->emplace(entries[i].*key, static_cast<std::uint32_t>(i));
  }

  [[no_unique_address]] Hash hash_;
  std::unique_ptr<ByKey> by_key_;
};

}  // namespace causeway
