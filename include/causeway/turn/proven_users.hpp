// SPDX-License-Identifier: Apache-2.0
// The users of one realm who have lately proved that they know their password, with their keys ready for use: a client
// sends several requests within a second, and making its key is most of the work of checking one. Holds a fixed number
// of them, in sets of a few; in a full set one makes room for the next. Strangers get nothing in here. Knows no wall
// clock: whether a credential has expired is asked by whoever finds it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/stun/integrity.hpp"
#include "causeway/turn/credentials.hpp"

namespace causeway::turn {

struct ProvenUser {
  std::string username;
  stun::PasswordAlgorithm algorithm;
  Credentials::Candidate credential;
  stun::IntegrityKey integrity;
};

class ProvenUsers {
 public:
  static constexpr std::size_t kUsersMax = 256;  // at about a kilobyte and a half

  // nullptr for one that is not remembered.
  std::shared_ptr<const ProvenUser> find(std::string_view username, stun::PasswordAlgorithm algorithm) const;
  // Replaces what is known of this username.
  void remember(std::shared_ptr<const ProvenUser> user);
  void clear() noexcept { sets_.clear(); }

 private:
  static constexpr std::size_t kWays = 4;
  struct Set {
    std::array<std::shared_ptr<const ProvenUser>, kWays> users{};
    std::size_t next = 0;  // the place of the one that goes next
  };
  static std::size_t set_of(std::string_view username) noexcept;

  std::vector<Set> sets_;  // empty until there is somebody to remember
};

}  // namespace causeway::turn
