// SPDX-License-Identifier: Apache-2.0
// The ICE candidate that members send each other: JSON as a browser makes it, of 430 octets, with a stamp in its ufrag.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "load/stamp.hpp"

namespace causeway::load {

constexpr std::size_t kCandidateBytes = 430;
constexpr std::size_t kStampDigits = 2 * Stamp::kBytes;

// The JSON value, with zeroes for a stamp.
const std::string& candidate_json();
// Where its digits begin in the value, or in a text that has the value in it.
std::size_t stamp_position(std::string_view text);
void write_stamp(char* digits, const Stamp& stamp) noexcept;
// Of a text in which the value lies as it was sent; nullopt when it does not.
std::optional<Stamp> read_stamp(std::string_view text) noexcept;

}  // namespace causeway::load
