// SPDX-License-Identifier: Apache-2.0
// A realm (RFC 8489 §9.2) of the server: its users and secrets, and how much of the server they may have. Which one a
// client meets depends on the address or the name by which it came, so the edge says it (ClientRef::realm).
#pragma once

#include <memory>

#include "causeway/turn/credentials.hpp"
#include "causeway/turn/limits.hpp"

namespace causeway::turn {

struct RealmOptions {
  std::shared_ptr<const Credentials> credentials;  // never nullptr
  RealmLimits limits{};
};

}  // namespace causeway::turn
