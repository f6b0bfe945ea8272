// SPDX-License-Identifier: Apache-2.0
// How GoogleTest prints values of the TURN core where an expectation fails.
#pragma once

#include <ostream>

#include "causeway/base/endpoint.hpp"
#include "causeway/turn/events.hpp"
#include "causeway/turn/outcome.hpp"

namespace causeway {

inline std::ostream& operator<<(std::ostream& out, const IpAddress& address) {
  return out << address.to_string();
}
inline std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint) {
  return out << endpoint.to_string();
}

}  // namespace causeway

namespace causeway::turn {

inline std::ostream& operator<<(std::ostream& out, DropReason reason) {
  return out << "DropReason " << static_cast<int>(reason);
}
inline std::ostream& operator<<(std::ostream& out, EndReason reason) {
  return out << name_of(reason);
}

}  // namespace causeway::turn
