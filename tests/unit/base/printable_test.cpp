// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/printable.hpp"

#include <gtest/gtest.h>

namespace causeway {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesTextAsItIs) {
  for (const std::string_view text : {"", "alice", "Żółć 日本語 😀", "a \"quoted\" \\ text", "é\u00A0è"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesControls) {
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(printable("\x1B[2J\0\x7F"s), "\\u{1b}[2J\\u{0}\\u{7f}");
  EXPECT_EQ(printable("\u0085\u009B2J"), "\\u{85}\\u{9b}2J") << "C1: a terminal may take it for ESC [";
}

TEST(Printable, EscapesOctetsThatAreNoUtf8) {
  EXPECT_EQ(printable("a\x9B\xFF"), "a\\x9b\\xff");
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xE2\x82"), "\\xe2\\x82") << "cut off";
}

TEST(Printable, EscapesWhatIsInvisibleOrTurnsTheTextAround) {
  EXPECT_EQ(printable("\u202Etxt.exe\u2066\u200F\u061C"), "\\u{202e}txt.exe\\u{2066}\\u{200f}\\u{61c}");
  EXPECT_EQ(printable("\u2028\u2029\uFEFF\u200B"), "\\u{2028}\\u{2029}\\u{feff}\\u{200b}");
  EXPECT_EQ(printable("\U000E0041"), "\\u{e0041}");
}

TEST(Printable, LeavesWhatItHasReturned) {
  const std::string once = printable("\x1B\u202E\xFF\n");
  EXPECT_EQ(printable(once), once);
}

TEST(Quoted, EscapesQuotesAndBackslashesToo) {
  EXPECT_EQ(quoted_text("alice"), "\"alice\"");
  EXPECT_EQ(quoted_text("a\" at 192.0.2.1\\\n"), "\"a\\\" at 192.0.2.1\\\\\\n\"");
}

TEST(Quoted, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(quoted_text("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(quoted_text("abé", 3), "\"ab…\"");
  EXPECT_EQ(quoted_text("abc", 3), "\"abc\"");
  EXPECT_EQ(quoted_text(std::string(5, '\x80'), 3), "\"…\"") << "no character begins there";
}

}  // namespace
}  // namespace causeway
