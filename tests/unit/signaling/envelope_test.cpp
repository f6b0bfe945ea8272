// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/envelope.hpp"

#include <gtest/gtest.h>

namespace causeway::signaling {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(std::string_view text) {
  Pairs out;
  const auto members = scan_envelope(text);
  EXPECT_TRUE(members.has_value()) << text;
  if (members) {
    for (const EnvelopeMember& member : *members)
      out.emplace_back(member.key, member.value);
  }
  return out;
}

std::optional<EnvelopeError> error(std::string_view text) {
  const auto members = scan_envelope(text);
  return members ? std::nullopt : std::optional(members.error());
}

std::string nested(std::size_t levels) {
  return R"({"a":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
}

TEST(Envelope, FindsTheMembersAndTheirBytes) {
  EXPECT_EQ(pairs("{}"), Pairs{});
  EXPECT_EQ(pairs(" {\t} \r\n"), Pairs{});
  EXPECT_EQ(pairs(R"({"a":1})"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(pairs(R"( { "a" : "x\u00e9\n" , "b":[ 1 , {"c" : null} ] , "" : true } )"),
            (Pairs{{"a", R"("x\u00e9\n")"}, {"b", R"([ 1 , {"c" : null} ])"}, {"", "true"}}));
}

TEST(Envelope, DecodesKeys) {
  EXPECT_EQ(pairs(R"({"\u0074ype":0,"\"\\\/\b\f\n\r\t":1,"\uD83D\ude00é":2})"),
            (Pairs{{"type", "0"}, {"\"\\/\b\f\n\r\t", "1"}, {"😀é", "2"}}));
}

TEST(Envelope, TakesEveryNumberOfTheGrammarAsItIs) {
  for (const char* number : {"0", "-0", "0.10", "1e400", "-1E+5", "10.50e-07", "123456789012345678901234567890"}) {
    EXPECT_EQ(pairs("{\"n\":" + std::string(number) + "}"), (Pairs{{"n", number}}));
  }
  for (const char* not_number : {"01", "+1", ".5", "1.", "1e", "1e+", "-", "--1", "0x1", "NaN", "Infinity", "1 2"}) {
    EXPECT_EQ(error("{\"n\":" + std::string(not_number) + "}"), EnvelopeError::kNotJson) << not_number;
  }
}

TEST(Envelope, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\" 1}",
                           "{1:2}",
                           "{}x",
                           "{} {}",
                           "{\"a\":tru}",
                           "{\"a\":nullx}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1 2]}",
                           "{\"a\":[}",
                           "{\"a\":\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12g4\"}",
                           "{\"a\":\"\\u123\"}",
                           "{\"a\":\"\\",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\x1f\"}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xc0\x80\"}",
                           "{\"a\":\"\xed\xa0\x80\"}",
                           "\xef\xbb\xbf{}",
                           "/**/{}",
                           "[",
                           "nul",
                           "{\"a\":1}\xff",
                           "\v{}"}) {
    EXPECT_EQ(error(text), EnvelopeError::kNotJson) << text;
  }
  EXPECT_EQ(error(std::string_view("{}\0", 3)), EnvelopeError::kNotJson);
  EXPECT_EQ(error(std::string_view("{\"a\0\":1}", 8)), EnvelopeError::kNotJson);
}

TEST(Envelope, RefusesWhatIsNoObject) {
  for (const char* text : {"[]", "null", "1", "\"a\"", " [ {} ] ", "true"}) {
    EXPECT_EQ(error(text), EnvelopeError::kNotObject) << text;
  }
}

TEST(Envelope, RefusesAKeyTwiceHoweverItIsWritten) {
  EXPECT_EQ(error(R"({"a":1,"b":2,"a":1})"), EnvelopeError::kDuplicateKey);
  EXPECT_EQ(error(R"({"type":1,"t\u0079pe":2})"), EnvelopeError::kDuplicateKey);
  EXPECT_EQ(error(R"({"a":1,"a":2)"), EnvelopeError::kNotJson);
  EXPECT_FALSE(error(R"({"a":{"b":1,"b":2},"b":3})")) << "what is inside belongs to the receiver";
}

TEST(Envelope, RefusesDeepNestingWithoutLookingFurther) {
  EXPECT_FALSE(error(nested(kNestingMax)));
  EXPECT_EQ(error(nested(kNestingMax + 1)), EnvelopeError::kTooDeep);
  EXPECT_EQ(error(std::string(100'000, '[')), EnvelopeError::kTooDeep);
  std::string objects;
  for (int i = 0; i < 10'000; ++i)
    objects += "{\"a\":";
  EXPECT_EQ(error(objects), EnvelopeError::kTooDeep);
}

TEST(Envelope, RefusesTooManyMembers) {
  std::string text = "{";
  for (std::size_t i = 0; i < kEnvelopeMembersMax; ++i)
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  EXPECT_FALSE(error(text + "}"));
  EXPECT_EQ(error(text + ",\"more\":0}"), EnvelopeError::kTooManyMembers);
}

TEST(Envelope, RefusesHalfASurrogatePair) {
  for (const char* text : {R"({"a":"\ud83d"})", R"({"a":"\ude00"})", R"({"a":"\ud83dx"})", R"({"a":"\ud83d\u0041"})",
                           R"({"a":[["\ud83d\ud83d\ude00"]]})", R"({"\ud83d":1})", R"({"a":"\ud83d\n"})"}) {
    EXPECT_EQ(error(text), EnvelopeError::kLoneSurrogate) << text;
  }
  EXPECT_EQ(error(R"({"a":"\ud83d\u12"})"), EnvelopeError::kNotJson);
}

TEST(Envelope, SurvivesEveryPrefixAndEveryFlippedOctet) {
  const std::string text = R"({"type":"offer","to":null,"sdp":["\ud83d\ude00",-1.5e+3,true,{"é":false}]})";
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(error(text.substr(0, i)), EnvelopeError::kNotJson);
    for (int octet = 0; octet < 256; ++octet) {
      std::string changed = text;
      changed[i] = static_cast<char>(octet);
      (void)scan_envelope(changed);
    }
  }
}

TEST(DecodeString, OnlyStrings) {
  EXPECT_EQ(decode_string(R"("a\tb")"), "a\tb");
  EXPECT_EQ(decode_string(R"("")"), "");
  EXPECT_EQ(decode_string(R"("\u0000")"), std::string(1, '\0'));
  for (const char* raw : {"1", "null", "[]", "{}", "true", ""})
    EXPECT_FALSE(decode_string(raw)) << raw;
}

}  // namespace
}  // namespace causeway::signaling
