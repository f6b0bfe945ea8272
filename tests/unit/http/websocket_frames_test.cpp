// SPDX-License-Identifier: Apache-2.0
#include "http/websocket_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace causeway::http {
namespace {

using Kind = Received::Kind;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kMessageBytesMax = 70'000;
constexpr std::uint8_t kFinal = 0x80;

// As a client sends it.
Octets masked(std::uint8_t first, std::string_view payload) {
  Octets unmasked;
  append_frame(unmasked, Opcode::kText, payload);
  const std::size_t header_bytes = unmasked.size() - payload.size();
  Octets frame(unmasked.begin(), unmasked.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  frame[0] = first;
  frame[1] |= 0x80;
  const Octets mask{0x37, 0xFA, 0x21, 0x3D};
  frame.insert(frame.end(), mask.begin(), mask.end());
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame.push_back(static_cast<std::uint8_t>(payload[i]) ^ mask[i % mask.size()]);
  return frame;
}

Octets text(std::string_view payload) {
  return masked(kFinal | 1, payload);
}

Octets operator+(Octets left, const Octets& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// "text:hello close:1000", of all frames in `octets`, which come `step` at a time.
std::string read(const Octets& octets, std::size_t step = 1'000'000) {
  FrameReader reader;
  std::string all;
  Octets kept;
  for (std::size_t at = 0; at < octets.size(); at += step) {
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
    kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(std::min(step, octets.size() - at)));
    MutableBytes rest{kept};
    for (Received frame = reader.next(rest, kMessageBytesMax); frame.kind != Kind::kIncomplete;
         frame = reader.next(rest, kMessageBytesMax)) {
      const std::string payload =
          frame.payload.size() > 100 ? std::to_string(frame.payload.size()) + " octets" : std::string(frame.payload);
      if (frame.kind == Kind::kText) all += "text:" + payload + " ";
      if (frame.kind == Kind::kBinary) all += "binary ";
      if (frame.kind == Kind::kTooBig) all += "too-big ";
      if (frame.kind == Kind::kPing) all += "ping:" + payload + " ";
      if (frame.kind == Kind::kPong) all += "pong:" + payload + " ";
      if (frame.kind == Kind::kClose) all += "close:" + std::to_string(frame.code) + " ";
      if (frame.kind == Kind::kError) return all + "error:" + std::to_string(frame.code);
    }
    kept.assign(rest.begin(), rest.end());
  }
  return all;
}

TEST(FrameReader, reads_messages_however_they_are_cut) {
  const Octets octets = text("one") + text(std::string(126, 'x')) + text(std::string(66'000, 'y')) + text("");
  for (const std::size_t step : {1U, 2U, 7U, 1'000'000U})
    EXPECT_EQ(read(octets, step), "text:one text:126 octets text:66000 octets text: ") << step;
}

TEST(FrameReader, joins_fragments_around_control_frames) {
  const Octets octets =
      masked(1, "fr") + masked(kFinal | 9, "p") + masked(0, "ag") + masked(kFinal | 0, "ment") + text("next");
  EXPECT_EQ(read(octets), "ping:p text:fragment text:next ");
  EXPECT_EQ(read(octets, 1), "ping:p text:fragment text:next ");
}

TEST(FrameReader, a_character_may_be_cut_by_a_fragment_but_not_by_the_end) {
  EXPECT_EQ(read(masked(1, "\xf0\x9d") + masked(kFinal | 0, "\x84\x9e")), "text:\xf0\x9d\x84\x9e ");
  EXPECT_EQ(read(masked(1, "\xf0\x9d") + masked(kFinal | 0, "\x84")), "error:1007");
  EXPECT_EQ(read(masked(1, "12345678\xff 345678")), "error:1007");  // at once, not at the end
  EXPECT_EQ(read(text("12345678\xed\xa0\x80")), "error:1007");      // a surrogate
}

TEST(FrameReader, leaves_out_what_is_too_big_however_long_it_is) {
  const Octets too_long = text(std::string(kMessageBytesMax + 1, 'x'));
  EXPECT_EQ(read(too_long + text("next")), "too-big text:next ");
  EXPECT_EQ(read(too_long + text("next"), 1000), "too-big text:next ");
  const Octets exabyte{kFinal | 1, 0xFF, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4};
  EXPECT_EQ(read(exabyte), "too-big ");
  const std::string half(kMessageBytesMax / 2 + 1, 'x');
  EXPECT_EQ(read(masked(1, half) + masked(kFinal | 0, half)), "too-big ");
}

TEST(FrameReader, refuses_what_rfc_6455_forbids) {
  EXPECT_EQ(read({kFinal | 1, 2, 'h', 'i'}), "error:1002");       // not masked
  EXPECT_EQ(read(masked(kFinal | 0x40 | 1, "x")), "error:1002");  // a reserved bit
  EXPECT_EQ(read(masked(kFinal | 3, "x")), "error:1002");         // a reserved opcode
  EXPECT_EQ(read(masked(kFinal | 11, "x")), "error:1002");
  EXPECT_EQ(read(masked(kFinal | 0, "x")), "error:1002");                    // continues nothing
  EXPECT_EQ(read(masked(1, "x") + text("y")), "error:1002");                 // the first one goes on
  EXPECT_EQ(read(masked(9, "x")), "error:1002");                             // a control frame in pieces
  EXPECT_EQ(read(masked(kFinal | 9, std::string(126, 'x'))), "error:1002");  // and a long one
  EXPECT_EQ(read({kFinal | 1, 0xFE, 0, 5, 1, 2, 3, 4}), "error:1002");       // not the shortest length
  EXPECT_EQ(read({kFinal | 1, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}), "error:1002");  // the highest bit
}

TEST(FrameReader, reads_close_frames) {
  EXPECT_EQ(read(masked(kFinal | 8, "")), "close:1005 ");
  EXPECT_EQ(read(masked(kFinal | 8, "\x0f\xa0reason")), "close:4000 ");
  EXPECT_EQ(read(masked(kFinal | 8, "\x03")), "error:1002");
  EXPECT_EQ(read(masked(kFinal | 8, "\x03\xed")), "error:1002");      // 1005 is never sent
  EXPECT_EQ(read(masked(kFinal | 8, "\x03\xe8\xff")), "error:1007");  // a reason is UTF-8
}

TEST(FrameReader, binary_is_told_at_its_beginning) {
  EXPECT_EQ(read(masked(2, "x")), "binary ");
}

TEST(WebSocketFrames, a_server_writes_the_shortest_form_without_a_mask) {
  Octets octets;
  append_frame(octets, Opcode::kPong, "hi");
  append_close_frame(octets, 1001, "off");
  append_close_frame(octets, kNoStatus, "unused");
  EXPECT_EQ(octets, (Octets{0x8A, 2, 'h', 'i', 0x88, 5, 3, 0xE9, 'o', 'f', 'f', 0x88, 0}));
}

TEST(WebSocketFrames, the_key_of_rfc_6455_has_its_answer) {  // §1.3
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace causeway::http
