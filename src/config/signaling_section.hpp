// SPDX-License-Identifier: Apache-2.0
// The keys of "signaling".
#pragma once

#include "config/config.hpp"
#include "config/object_reader.hpp"

namespace causeway::config {

void read_signaling(ObjectReader& object, Signaling& out);

}  // namespace causeway::config
