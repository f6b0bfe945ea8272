// SPDX-License-Identifier: Apache-2.0
// The members of rooms, by the users of their TURN credentials (ROOM-ID/MEMBER-ID): a member's credential is worth
// nothing without the member. The main loop adds a member before it is told its credential, and removes it before the
// workers are told to end its allocations; so no worker refuses somebody who is there, and nothing is allocated for
// somebody who is gone. As large as there are members, those who are away included, so the limits of the Hub bound it.
//
// After a restart there are no members: a credential of the former process is refused, and who joins again has another.
#pragma once

#include <cstdint>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "causeway/turn/user_gate.hpp"

namespace causeway::app {

class LiveMembers final : public turn::UserGate {
 public:
  static std::string user_of(std::string_view room_id, std::string_view member_id);

  // From any thread.
  void add(std::string user);
  void remove(const std::string& user);
  // Users that do not look like members are none of its business: others make credentials with the same secret.
  bool admits(std::string_view user) const override;
  std::size_t size() const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  mutable std::shared_mutex mutex_;
  std::unordered_set<std::string, Hash, std::equal_to<>> users_;
};

}  // namespace causeway::app
