// SPDX-License-Identifier: Apache-2.0
// Every key of the configuration, with its range. Whoever adds one adds it here, to config.hpp, to
// config/causeway.json, to config/causeway.schema.json and to docs/configuration.md; a test compares them.
#pragma once

#include "config/config.hpp"
#include "config/object_reader.hpp"

namespace causeway::config {

void read_config(ObjectReader& root, Config& config);

}  // namespace causeway::config
