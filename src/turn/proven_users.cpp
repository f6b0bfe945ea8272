// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/proven_users.hpp"

#include <algorithm>
#include <functional>

namespace causeway::turn {

std::size_t ProvenUsers::set_of(std::string_view username) noexcept {
  return std::hash<std::string_view>{}(username) % (kUsersMax / kWays);
}

std::shared_ptr<const ProvenUser> ProvenUsers::find(std::string_view username,
                                                    stun::PasswordAlgorithm algorithm) const {
  if (sets_.empty()) return nullptr;
  for (const auto& user : sets_[set_of(username)].users) {
    if (user && user->username == username && user->algorithm == algorithm) return user;
  }
  return nullptr;
}

void ProvenUsers::remember(std::shared_ptr<const ProvenUser> user) {
  if (sets_.empty()) sets_.resize(kUsersMax / kWays);
  Set& set = sets_[set_of(user->username)];
  const auto same = std::find_if(set.users.begin(), set.users.end(), [&](const auto& known) {
    return known && known->username == user->username && known->algorithm == user->algorithm;
  });
  if (same != set.users.end()) {
    *same = std::move(user);
    return;
  }
  set.users[set.next] = std::move(user);
  set.next = (set.next + 1) % kWays;
}

}  // namespace causeway::turn
