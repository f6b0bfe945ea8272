// SPDX-License-Identifier: Apache-2.0
// What the first realm and all others have in common: users, secrets and limits; and the list `realms`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/object_reader.hpp"

namespace causeway::config {

void read_users(ObjectReader& object, std::map<std::string, std::string>& users);
void read_shared_secrets(ObjectReader& object, std::vector<std::string>& secrets);
void read_realm_limits(ObjectReader& object, RealmLimits& limits);
// After the first realm, the listeners and turn.limits.
void read_realms(ObjectReader& root, Config& config);

}  // namespace causeway::config
