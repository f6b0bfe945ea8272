// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/room.hpp"

#include <gtest/gtest.h>

#include "causeway/base/utf8.hpp"

namespace causeway::signaling {
namespace {

TEST(Names, OneTo128BytesOfUtf8WithoutControlCharacters) {
  for (const char* good : {"a", " ", "tea room", "Zoë", "喫茶", "☕️", "\xC2\xA0", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_name(good)) << good;
  }
  EXPECT_TRUE(is_valid_name(std::string(128, 'x')));
  EXPECT_FALSE(is_valid_name(std::string(129, 'x')));
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_FALSE(is_valid_name(std::string_view("a\0b", 3)));
  for (const char* control : {"\n", "a\x1F", "\x7F", "\xC2\x80", "a\xC2\x9F"})
    EXPECT_FALSE(is_valid_name(control));
}

TEST(Names, RefuseWhatTurnsTheDirectionOfText) {
  for (std::uint32_t point = 0xA0; point <= 0xFFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const bool is_refused = point == 0x061C || point == 0x200E || point == 0x200F ||
                            (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    std::string name = "photo";
    append_utf8(name, point);
    ASSERT_EQ(is_valid_name(name + "gpj.exe"), !is_refused) << point;
  }
  EXPECT_TRUE(is_valid_name("\u05E9\u05DC\u05D5\u05DD")) << "a name that is written from right to left";
  EXPECT_TRUE(is_valid_name("\U0001F468\u200D\U0001F469")) << "joined by U+200D";
}

TEST(Names, RefuseWhatIsNotUtf8) {
  // A lone continuation, overlong forms, a surrogate, above U+10FFFF, cut short, an octet that never occurs.
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xE2\x28\xA1", "\xF0\x9F\x28\x80", "\xFF"}) {
    EXPECT_FALSE(is_valid_name(bad));
  }
}

TEST(Utf8, ScalarValuesGoOutAndIn) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; point += point < 0x1000 ? 1 : 37) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, point);
    ASSERT_EQ(utf8_length(text), text.size()) << point;
    ASSERT_EQ(utf8_length(std::string_view(text).substr(0, text.size() - 1)), 0U) << point;
  }
}

}  // namespace
}  // namespace causeway::signaling
