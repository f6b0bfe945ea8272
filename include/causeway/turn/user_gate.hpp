// SPDX-License-Identifier: Apache-2.0
// Whether somebody with a valid time-limited credential may use it at this moment: a signed name says until when, and
// no more. The application implements it, for members of rooms, who leave before their credentials expire.
#pragma once

#include <string_view>

namespace causeway::turn {

class UserGate {
 public:
  virtual ~UserGate() = default;
  // `user` as in Credentials::Candidate. Called on any worker's thread, once for each authenticated request.
  virtual bool admits(std::string_view user) const = 0;
};

}  // namespace causeway::turn
