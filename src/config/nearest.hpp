// SPDX-License-Identifier: Apache-2.0
// The known key that somebody who wrote an unknown one most likely meant.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace causeway::config {

// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// By the whole path, or by the last name alone for a key that stands in the wrong section. Empty without known keys.
std::string nearest(std::string_view unknown, const std::set<std::string>& known);

}  // namespace causeway::config
