// SPDX-License-Identifier: Apache-2.0
// The examples are those of RFC 8265 §4.3 and of the context rules of RFC 5892 Appendix A.
#include "config/opaque_string.hpp"

#include <gtest/gtest.h>

namespace causeway::config {
namespace {

TEST(OpaqueString, LeavesWhatIsPreparedAlone) {
  for (const std::string text : {"correct horse battery staple", "Correct Horse Battery Staple", "πßå", "Jack of ♦s",
                                 "αβγ", "ﬁ", "ｆｕｌｌ", "密碼", "😀", "l·l", "क्‍ष"}) {
    EXPECT_EQ(opaque_string(text), text);
  }
}

TEST(OpaqueString, ComposesLettersAndMakesEverySpaceOne) {
  EXPECT_EQ(opaque_string("fu\u00DFba\u030A"), "fu\u00DFb\u00E5");
  EXPECT_EQ(opaque_string("foo\u1680bar"), "foo bar");
  EXPECT_EQ(opaque_string("a\u00A0b"), "a b");
  EXPECT_EQ(opaque_string("\u212B"), "\u00C5") << "the sign of the Ångström is the letter";
}

TEST(OpaqueString, RefusesWhatTheFreeformClassForbids) {
  EXPECT_EQ(opaque_string(""), std::nullopt);
  EXPECT_EQ(opaque_string("my cat is a \x09 by"), std::nullopt) << "a control character";
  EXPECT_EQ(opaque_string("a\x7F"), std::nullopt);
  EXPECT_EQ(opaque_string("soft\u00ADhyphen"), std::nullopt) << "ignorable";
  EXPECT_EQ(opaque_string("a\uFEFF"), std::nullopt);
  EXPECT_EQ(opaque_string("\u1112\u1161"), std::nullopt) << "old Hangul jamo";
  EXPECT_EQ(opaque_string("\u0640"), std::nullopt) << "an exception: Arabic tatweel";
  EXPECT_EQ(opaque_string("\uE000"), std::nullopt) << "private use";
  EXPECT_EQ(opaque_string("\u2028"), std::nullopt) << "a line separator";
  EXPECT_EQ(opaque_string("\U0001FFFE"), std::nullopt) << "no character";
  EXPECT_EQ(opaque_string("\u0378"), std::nullopt) << "unassigned";
}

TEST(OpaqueString, RefusesWhatIsNoUtf8) {
  for (const std::string text : {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xFF", "a\x80"})
    EXPECT_EQ(opaque_string(text), std::nullopt);
}

TEST(OpaqueString, TakesSomeCharactersInTheirContextOnly) {
  EXPECT_TRUE(opaque_string("\u0628\u200C\u0628")) << "a non-joiner between joining letters";
  EXPECT_TRUE(opaque_string("\u0628\u064E\u200C\u064E\u0628")) << "marks are transparent";
  EXPECT_TRUE(opaque_string("\u0915\u094D\u200C\u0937")) << "after a virama";
  EXPECT_FALSE(opaque_string("a\u200Cb"));
  EXPECT_FALSE(opaque_string("\u200C"));
  EXPECT_FALSE(opaque_string("a\u200Db"));
  EXPECT_FALSE(opaque_string("a\u00B7b"));
  EXPECT_TRUE(opaque_string("\u0375\u03B1"));
  EXPECT_FALSE(opaque_string("\u0375a"));
  EXPECT_TRUE(opaque_string("\u05D0\u05F3"));
  EXPECT_FALSE(opaque_string("\u05F4"));
  EXPECT_TRUE(opaque_string("\u30FB\u30A2"));
  EXPECT_FALSE(opaque_string("\u30FBa"));
  EXPECT_TRUE(opaque_string("\u0661\u0662"));
  EXPECT_FALSE(opaque_string("\u0661\u06F2")) << "digits of two kinds";
}

}  // namespace
}  // namespace causeway::config
