// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/utf8.hpp"

namespace causeway {

std::size_t utf8_length(std::string_view text) noexcept {
  const auto octet = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t lead = octet(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // RFC 3629 §4: the range of the second octet keeps out overlong forms, surrogates and values above U+10FFFF.
  const std::uint8_t second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (octet(1) < second_min || octet(1) > second_max) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((octet(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto append = [&text](std::uint32_t octet) { text.push_back(static_cast<char>(octet)); };
  const auto append_rest = [&](int shift) { append(0x80 | ((code_point >> shift) & 0x3F)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0 | (code_point >> 6));
    append_rest(0);
  } else if (code_point < 0x10000) {
    append(0xE0 | (code_point >> 12));
    append_rest(6);
    append_rest(0);
  } else {
    append(0xF0 | (code_point >> 18));
    append_rest(12);
    append_rest(6);
    append_rest(0);
  }
}

}  // namespace causeway
