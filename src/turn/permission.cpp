// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/permission.hpp"

namespace causeway::turn {

void PermissionTable::install(const IpAddress& peer, const Permission& permission) {
  if (const Entry* found = by_peer_.find(entries_, peer)) {
    entries_[static_cast<std::size_t>(found - entries_.data())].permission = permission;
    return;
  }
  entries_.push_back({peer, permission});
  by_peer_.on_added(entries_);
}

std::optional<TimePoint> PermissionTable::expire(TimePoint now) {
  const auto is_over = [now](const Entry& entry) { return entry.permission.expires_at <= now; };
  const auto kept = std::remove_if(entries_.begin(), entries_.end(), is_over);
  if (kept != entries_.end()) {
    entries_.erase(kept, entries_.end());
    by_peer_.on_removed(entries_);
  }
  std::optional<TimePoint> next;
  for (const Entry& entry : entries_) {
    if (!next || entry.permission.expires_at < *next) next = entry.permission.expires_at;
  }
  return next;
}

}  // namespace causeway::turn
