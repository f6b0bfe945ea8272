// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace causeway {

// Octets of the character that `text` begins with: 1 to 4, or 0 when it begins with none.
std::size_t utf8_length(std::string_view text) noexcept;

// code_point is a Unicode scalar value.
void append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace causeway
