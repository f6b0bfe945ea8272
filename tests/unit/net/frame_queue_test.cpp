// SPDX-License-Identifier: Apache-2.0
#include "net/frame_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace causeway::net {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<std::uint8_t>;

constexpr TimePoint kStart{1h};

// ChannelData and a response of 4 + `payload` octets, the rest of which is `mark`.
Octets message(std::uint8_t first_octet, std::size_t payload, std::uint8_t mark) {
  Octets octets(4 + payload, mark);
  octets[0] = first_octet;
  octets[1] = 0x01;
  return octets;
}
Octets data(std::size_t payload, std::uint8_t mark) {
  return message(0x40, payload, mark);
}
Octets answer(std::size_t payload, std::uint8_t mark) {
  return message(0x01, payload, mark);
}

// The marks of what waits, each message being of 4 + 1000 octets.
std::string marks(const FrameQueue& queue) {
  std::string out;
  for (std::size_t at = 4; at < queue.size(); at += 1004)
    out += static_cast<char>(queue.bytes()[at]);
  return out;
}

TEST(FrameQueue, PadsMessagesAndKeepsTheirOrder) {
  FrameQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.push(data(1, 'a'), kStart));
  EXPECT_TRUE(queue.push(answer(4, 'b'), kStart));
  const Octets expected{0x40, 1, 'a', 'a', 'a', 0, 0, 0, 0x01, 1, 'b', 'b', 'b', 'b', 'b', 'b'};
  EXPECT_EQ(Octets(queue.bytes().begin(), queue.bytes().end()), expected);
  queue.consume(3);
  EXPECT_EQ(queue.size(), 13u);
  EXPECT_EQ(queue.bytes()[0], 'a');
  queue.consume(13);
  EXPECT_TRUE(queue.empty());
  queue.release_memory();
  EXPECT_TRUE(queue.push(data(0, 'c'), kStart));
  EXPECT_EQ(queue.size(), 4u);
}

TEST(FrameQueue, DropsDataThatIsLateAndNothingElse) {
  FrameQueue queue;
  queue.push(data(1000, 'a'), kStart);
  queue.push(answer(1000, 'B'), kStart);
  queue.push(data(1000, 'c'), kStart + 1ms);
  queue.push(data(1000, 'd'), kStart + 2ms);
  EXPECT_EQ(queue.drop_late(kStart + FrameQueue::kDataDelayMax - 1ms), 0u);
  EXPECT_EQ(marks(queue), "aBcd");
  EXPECT_EQ(queue.drop_late(kStart + FrameQueue::kDataDelayMax + 1ms), 2u);
  EXPECT_EQ(marks(queue), "Bd");
  EXPECT_EQ(queue.drop_late(kStart + 1h), 1u);
  EXPECT_EQ(marks(queue), "B");
}

TEST(FrameQueue, KnowsADataIndicationFromOtherNews) {
  FrameQueue queue;
  Octets indication = message(0x00, 1000, 'a');
  indication[1] = 0x17;  // Data
  queue.push(indication, kStart);
  indication[1] = 0x1C;  // ConnectionAttempt (RFC 6062)
  indication[4] = 'b';
  queue.push(indication, kStart);
  EXPECT_EQ(queue.drop_late(kStart + 1h), 1u);
  EXPECT_EQ(marks(queue), "b");
}

TEST(FrameQueue, NeverDropsWhatHasBegunToLeave) {
  FrameQueue queue;
  for (const char mark : {'a', 'b', 'c', 'd'})
    queue.push(data(1000, static_cast<std::uint8_t>(mark)), kStart);
  queue.consume(500);
  EXPECT_EQ(queue.drop_late(kStart + 1h), 3u);
  EXPECT_EQ(queue.size(), 504u);
  queue.push(data(1000, 'e'), kStart);
  queue.push(data(1000, 'f'), kStart);
  queue.consume(504);
  queue.hold(1);  // a TLS record may have been made of it
  EXPECT_EQ(queue.drop_late(kStart + 1h), 1u);
  EXPECT_EQ(marks(queue), "e");
}

TEST(FrameQueue, MakesRoomForNewDataByDroppingTheOldest) {
  FrameQueue queue;
  std::size_t dropped = 0;
  const std::size_t many = 4 * FrameQueue::kDataBytesMax / 1004;
  for (std::size_t i = 0; i < many; ++i) {
    dropped += queue.make_room(1004);
    ASSERT_TRUE(queue.push(i == 0 ? answer(1000, 'A') : data(1000, i + 1 == many ? 'z' : 'm'), kStart));
    ASSERT_LE(queue.size(), FrameQueue::kDataBytesMax);
  }
  EXPECT_EQ(marks(queue).size() + dropped, many);
  EXPECT_GT(queue.size(), FrameQueue::kDataBytesMax / 2) << "no more is dropped than has to be";
  EXPECT_EQ(marks(queue).front(), 'A');
  EXPECT_EQ(marks(queue).back(), 'z');
}

TEST(FrameQueue, RefusesAnswersThatNobodyReads) {
  FrameQueue queue;
  std::size_t answers = 0;
  while (queue.make_room(1004) == 0 && queue.push(answer(1000, 'a'), kStart))
    ++answers;
  EXPECT_EQ(answers, (FrameQueue::kDataBytesMax + FrameQueue::kAnswerBytesMax) / 1004);
  EXPECT_FALSE(queue.push(data(1000, 'd'), kStart));
}

}  // namespace
}  // namespace causeway::net
