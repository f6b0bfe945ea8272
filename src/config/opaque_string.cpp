// SPDX-License-Identifier: Apache-2.0
#include "config/opaque_string.hpp"

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "causeway/base/free_with.hpp"

namespace causeway::config {
namespace {

using CodePoints = std::vector<ucs4_t>;

std::optional<CodePoints> decode(std::string_view text) {
  CodePoints points;
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t left = text.size(); left > 0;) {
    ucs4_t point = 0;
    const int bytes = u8_mbtoucr(&point, at, left);
    if (bytes <= 0) return std::nullopt;
    points.push_back(point);
    at += bytes;
    left -= static_cast<std::size_t>(bytes);
  }
  return points;
}

bool is_of_script(ucs4_t point, std::initializer_list<std::string_view> names) {
  const uc_script_t* script = uc_script(point);
  return script != nullptr && std::find(names.begin(), names.end(), script->name) != names.end();
}

bool follows_virama(const CodePoints& points, std::size_t at) {
  return at > 0 && uc_combining_class(points[at - 1]) == UC_CCC_VR;
}

// RFC 5892 Appendix A.1: between letters that join, across what is transparent.
bool joins_letters(const CodePoints& points, std::size_t at) {
  const auto is_transparent = [](ucs4_t point) { return uc_joining_type(point) == UC_JOINING_TYPE_T; };
  std::size_t before = at;
  while (before > 0 && is_transparent(points[before - 1]))
    --before;
  std::size_t after = at + 1;
  while (after < points.size() && is_transparent(points[after]))
    ++after;
  if (before == 0 || after == points.size()) return false;
  const int left = uc_joining_type(points[before - 1]);
  const int right = uc_joining_type(points[after]);
  return (left == UC_JOINING_TYPE_L || left == UC_JOINING_TYPE_D) &&
         (right == UC_JOINING_TYPE_R || right == UC_JOINING_TYPE_D);
}

bool contains_between(const CodePoints& points, ucs4_t first, ucs4_t last) {
  return std::any_of(points.begin(), points.end(), [=](ucs4_t point) { return point >= first && point <= last; });
}

// RFC 8264 §9.16 refers to RFC 5892 Appendix A for code points that are good in a context; nullopt: this is none.
std::optional<bool> fits_its_context(const CodePoints& points, std::size_t at) {
  const ucs4_t point = points[at];
  const bool has_next = at + 1 < points.size();
  if (point >= 0x0660 && point <= 0x0669) return !contains_between(points, 0x06F0, 0x06F9);  // A.8: Arabic-Indic digits
  if (point >= 0x06F0 && point <= 0x06F9) return !contains_between(points, 0x0660, 0x0669);  // A.9
  switch (point) {
    case 0x200C:  // A.1: zero width non-joiner
      return follows_virama(points, at) || joins_letters(points, at);
    case 0x200D:  // A.2: zero width joiner
      return follows_virama(points, at);
    case 0x00B7:  // A.3: middle dot
      return at > 0 && has_next && points[at - 1] == 'l' && points[at + 1] == 'l';
    case 0x0375:  // A.4: Greek lower numeral sign
      return has_next && is_of_script(points[at + 1], {"Greek"});
    case 0x05F3:  // A.5: Hebrew geresh
    case 0x05F4:  // A.6: Hebrew gershayim
      return at > 0 && is_of_script(points[at - 1], {"Hebrew"});
    case 0x30FB:  // A.7: Katakana middle dot
      return std::any_of(points.begin(), points.end(), [](ucs4_t other) {
        return is_of_script(other, {"Hiragana", "Katakana", "Han"});
      });
    default:
      return std::nullopt;
  }
}

// RFC 5892 §2.6, as far as the general rules below do not say the same.
std::optional<bool> exception(ucs4_t point) {
  switch (point) {
    case 0x0640:  // Arabic tatweel
    case 0x07FA:  // NKo lajanyalan
    case 0x302E:  // Hangul tone marks
    case 0x302F:
    case 0x3031:  // vertical kana repeat marks
    case 0x3032:
    case 0x3033:
    case 0x3034:
    case 0x3035:
    case 0x303B:  // vertical ideographic iteration mark
      return false;
    default:
      return std::nullopt;
  }
}

bool is_old_hangul_jamo(ucs4_t point) {  // RFC 8264 §9.9
  return (point >= 0x1100 && point <= 0x11FF) || (point >= 0xA960 && point <= 0xA97C) ||
         (point >= 0xD7B0 && point <= 0xD7C6) || (point >= 0xD7CB && point <= 0xD7FB);
}

// RFC 8264 §8, for the FreeformClass.
bool is_free(const CodePoints& points, std::size_t at) {
  const ucs4_t point = points[at];
  if (const auto excepted = exception(point)) return *excepted;
  if (const auto fits = fits_its_context(points, at)) return *fits;
  if (is_old_hangul_jamo(point) || uc_is_property_default_ignorable_code_point(point) ||
      uc_is_property_not_a_character(point)) {
    return false;
  }
  // §9.1, §9.7, §9.10, §9.11: letters, marks, numbers, punctuation, symbols and spaces. Controls, formats, unassigned
  // ones, private use and line separators are none of these.
  return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
                                                     UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_Zs);
}

}  // namespace

std::optional<std::string> opaque_string(std::string_view text) {
  auto points = decode(text);
  if (!points || points->empty()) return std::nullopt;
  for (std::size_t i = 0; i < points->size(); ++i) {
    if (!is_free(*points, i)) return std::nullopt;
  }
  // RFC 8265 §4.2.2: no width mapping, spaces, no case mapping, NFC, no rule for directions.
  for (ucs4_t& point : *points) {
    if (uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Zs)) point = ' ';
  }
  std::size_t count = 0;
  const std::unique_ptr<std::uint32_t, FreeWith<std::free>> composed{
      u32_normalize(UNINORM_NFC, points->data(), points->size(), nullptr, &count)};
  if (!composed) throw std::bad_alloc();
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, 6> octets{};
    const int bytes = u8_uctomb(octets.data(), composed.get()[i], static_cast<ptrdiff_t>(octets.size()));
    out.append(octets.begin(), octets.begin() + bytes);
  }
  return out;
}

}  // namespace causeway::config
