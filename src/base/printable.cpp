// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/printable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "causeway/base/utf8.hpp"

namespace causeway {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
constexpr std::array kUnprintable{
    Range{0x00, 0x1F},        // C0
    Range{0x7F, 0x9F},        // DEL, C1
    Range{0x061C, 0x061C},    // Arabic letter mark
    Range{0x200B, 0x200F},    // zero width, direction marks
    Range{0x2028, 0x202E},    // separators of lines and paragraphs, embeddings and overrides
    Range{0x2060, 0x206F},    // word joiner, isolates
    Range{0xFEFF, 0xFEFF},    // zero width no-break space
    Range{0xFFF9, 0xFFFB},    // interlinear annotations
    Range{0xE0000, 0xE007F},  // tags
};

bool is_printable(std::uint32_t code_point) noexcept {
  return std::none_of(kUnprintable.begin(), kUnprintable.end(), [code_point](const Range& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

// `text` is one character of UTF-8.
std::uint32_t code_point_of(std::string_view text) noexcept {
  const auto octet = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.size() == 1) return octet(0);
  std::uint32_t code_point = octet(0) & (0x7FU >> text.size());
  for (std::size_t i = 1; i < text.size(); ++i)
    code_point = (code_point << 6) | (octet(i) & 0x3FU);
  return code_point;
}

void append_hex(std::string& out, std::uint32_t value, int digits_min) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  int digits = digits_min;
  while (digits < 8 && (value >> (4 * digits)) != 0)
    ++digits;
  while (digits-- > 0)
    out += kDigits[(value >> (4 * digits)) & 0xF];
}

void append_escape(std::string& out, std::uint32_t code_point) {
  if (code_point == '\n' || code_point == '\r' || code_point == '\t') {
    out += code_point == '\n' ? "\\n" : code_point == '\r' ? "\\r" : "\\t";
    return;
  }
  out += "\\u{";
  append_hex(out, code_point, 1);
  out += '}';
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\\x";
      append_hex(out, static_cast<std::uint8_t>(character.front()), 2);
    } else if (const std::uint32_t code_point = code_point_of(character); is_printable(code_point)) {
      out += character;
    } else {
      append_escape(out, code_point);
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string quoted_text(std::string_view text, std::size_t octets_max) {
  const bool is_cut = text.size() > octets_max;
  std::size_t end = std::min(text.size(), octets_max);
  while (is_cut && end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80)
    --end;  // never half of a character
  std::string with_backslashes;
  for (const char c : text.substr(0, end)) {
    if (c == '"' || c == '\\') with_backslashes += '\\';
    with_backslashes += c;
  }
  return '"' + printable(with_backslashes) + (is_cut ? "…\"" : "\"");
}

}  // namespace causeway
