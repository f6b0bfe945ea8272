// SPDX-License-Identifier: Apache-2.0
// The permissions of one allocation (RFC 8656 §9): peer IP addresses, each with its own time to live.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/entry_index.hpp"
#include "causeway/base/time.hpp"

namespace causeway::turn {

struct Permission {
  TimePoint expires_at;
  bool own_address = false;  // of this server: traffic goes to a live relayed transport address or nowhere
};

class PermissionTable {
 public:
  explicit PermissionTable(std::uint64_t hash_seed) : by_peer_(IpAddressHash{hash_seed}) {}

  std::size_t size() const noexcept { return entries_.size(); }
  bool contains(const IpAddress& peer) const noexcept { return by_peer_.find(entries_, peer) != nullptr; }
  // The live permission, nullptr when there is none.
  const Permission* find(const IpAddress& peer, TimePoint now) const noexcept {
    const Entry* found = by_peer_.find(entries_, peer);
    return found != nullptr && found->permission.expires_at > now ? &found->permission : nullptr;
  }
  // Installs or refreshes.
  void install(const IpAddress& peer, const Permission& permission);
  // Takes back those for which `is_forbidden(peer, permission)` holds, which may change the permissions that stay.
  template <class Predicate>
  void remove_if(Predicate is_forbidden) {
    const auto gone = [&](Entry& entry) { return is_forbidden(entry.peer, entry.permission); };
    entries_.erase(std::remove_if(entries_.begin(), entries_.end(), gone), entries_.end());
    by_peer_.on_removed(entries_);
  }
  // Forgets what has expired and returns when the next one does.
  std::optional<TimePoint> expire(TimePoint now);

 private:
  struct Entry {
    IpAddress peer;
    Permission permission;
  };
  std::vector<Entry> entries_;
  EntryIndex<Entry, &Entry::peer, IpAddressHash> by_peer_;
};

}  // namespace causeway::turn
