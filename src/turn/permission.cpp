// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/permission.hpp"

namespace causeway::turn {

std::optional<TimePoint> PermissionTable::expire(TimePoint now) {
  std::optional<TimePoint> next;
  for (auto it = permissions_.begin(); it != permissions_.end();) {
    if (it->second.expires_at <= now) {
      permissions_.erase(it++);
      continue;
    }
    if (!next || it->second.expires_at < *next) next = it->second.expires_at;
    ++it;
  }
  return next;
}

}  // namespace causeway::turn
