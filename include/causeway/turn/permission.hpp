// SPDX-License-Identifier: Apache-2.0
// The permissions of one allocation (RFC 8656 §9): peer IP addresses, each with its own time to live.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <optional>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway::turn {

struct Permission {
  TimePoint expires_at;
  bool own_address = false;  // of this server: traffic goes to a live relayed transport address or nowhere
};

class PermissionTable {
 public:
  explicit PermissionTable(std::uint64_t hash_seed) : permissions_(0, IpAddressHash{hash_seed}) {}

  std::size_t size() const noexcept { return permissions_.size(); }
  bool contains(const IpAddress& peer) const noexcept { return permissions_.contains(peer); }
  // The live permission, nullptr when there is none.
  const Permission* find(const IpAddress& peer, TimePoint now) const noexcept {
    const auto found = permissions_.find(peer);
    return found != permissions_.end() && found->second.expires_at > now ? &found->second : nullptr;
  }
  // Installs or refreshes.
  void install(const IpAddress& peer, const Permission& permission) { permissions_.insert_or_assign(peer, permission); }
  // Takes back those for which `is_forbidden(peer)` holds.
  template <class Predicate>
  void remove_if(Predicate is_forbidden) {
    boost::unordered::erase_if(permissions_, [&](const auto& entry) { return is_forbidden(entry.first); });
  }
  // Forgets what has expired and returns when the next one does.
  std::optional<TimePoint> expire(TimePoint now);

 private:
  boost::unordered_flat_map<IpAddress, Permission, IpAddressHash> permissions_;
};

}  // namespace causeway::turn
