// SPDX-License-Identifier: Apache-2.0
// Pieces of the text of HTTP header fields (RFC 9110 §5.6).
#pragma once

#include <string_view>

namespace causeway::http {

// ASCII letters alike, as in the names of schemes, codings and hosts.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text) noexcept;

// Cuts the part before the next `separator` off `rest`, trimmed.
std::string_view next_part(std::string_view& rest, char separator) noexcept;

}  // namespace causeway::http
