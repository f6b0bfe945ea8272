// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/framer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/message.hpp"
#include "hex.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kBufferBytesMax = StreamFramer::kHeadroomBytes + kMessageBytesMax;

Octets stun_message(std::size_t attribute_bytes) {
  Octets message(kHeaderBytes + kAttributeHeaderBytes + attribute_bytes);
  MessageBuilder builder{message, Method::kSend, MessageClass::kIndication, TransactionId{}};
  Octets value(attribute_bytes);
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<std::uint8_t>(i * 7);
  builder.add(AttributeType::kData, value);
  return message;
}

Octets channel_data(std::uint16_t number, std::size_t payload_bytes) {
  Octets message(kChannelDataHeaderBytes + payload_bytes);
  for (std::size_t i = 0; i < message.size(); ++i)
    message[i] = static_cast<std::uint8_t>(i * 13);
  store_be16(message.data(), number);
  store_be16(message.data() + 2, static_cast<std::uint16_t>(payload_bytes));
  return message;
}

Octets stream_of(const std::vector<Octets>& messages) {
  Octets stream;
  for (const Octets& message : messages) {
    stream.insert(stream.end(), message.begin(), message.end());
    while (stream.size() % 4 != 0)
      stream.push_back(0xEE);
  }
  return stream;
}

// Everything that is ready. Overwrites the headroom of each frame, as a relay does.
void drain(StreamFramer& framer, std::vector<Octets>& frames) {
  for (auto frame = *framer.next(); frame; frame = *framer.next()) {
    std::memset(frame->data() - StreamFramer::kHeadroomBytes, 0xDD, StreamFramer::kHeadroomBytes);
    frames.emplace_back(frame->begin(), frame->end());
  }
}

// Hands over `bytes`, however small the room is.
void feed(StreamFramer& framer, Bytes bytes, std::vector<Octets>& frames) {
  while (!bytes.empty()) {
    const MutableBytes room = framer.prepare();
    ASSERT_GE(room.size(), 1u);
    const std::size_t taken = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), taken, room.begin());
    framer.commit(taken);
    bytes = bytes.subspan(taken);
    drain(framer, frames);
  }
}

const std::vector<Octets>& mixed_messages() {
  static const std::vector<Octets> messages{
      stun_message(0),           channel_data(0x4000, 0),  channel_data(0x7FFF, 1), stun_message(120),
      channel_data(0x4001, 2),   channel_data(0x4002, 3),  channel_data(0x4003, 4), stun_message(8),
      channel_data(0x4004, 301), channel_data(0x4005, 160)};
  return messages;
}

TEST(StreamFramer, CutsAtEverySplitPoint) {
  const Octets stream = stream_of(mixed_messages());
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    StreamFramer framer;
    std::vector<Octets> frames;
    feed(framer, Bytes{stream}.first(split), frames);
    feed(framer, Bytes{stream}.subspan(split), frames);
    ASSERT_EQ(frames, mixed_messages()) << "split at " << split;
  }
}

TEST(StreamFramer, CutsOctetByOctet) {
  const Octets stream = stream_of(mixed_messages());
  StreamFramer framer;
  std::vector<Octets> frames;
  for (std::size_t i = 0; i < stream.size(); ++i)
    feed(framer, Bytes{stream}.subspan(i, 1), frames);
  EXPECT_EQ(frames, mixed_messages());
}

TEST(StreamFramer, CutsALongStreamReadInRandomPieces) {
  std::mt19937 random{7350};
  std::vector<Octets> messages;
  for (int i = 0; i < 400; ++i) {
    const std::size_t size = random() % 50 == 0 ? random() % 65000 : random() % 1400;
    messages.push_back(i % 3 == 0 ? stun_message(size & ~std::size_t{3}) : channel_data(0x4123, size));
  }
  const Octets stream = stream_of(messages);
  StreamFramer framer;
  std::vector<Octets> frames;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t piece = std::min<std::size_t>(stream.size() - at, 1 + random() % 9000);
    feed(framer, Bytes{stream}.subspan(at, piece), frames);
    at += piece;
  }
  EXPECT_EQ(frames, messages);
}

TEST(StreamFramer, TakesMessagesOfTheGreatestSize) {
  const std::vector<Octets> messages{stun_message(65528), channel_data(0x4000, 65535), stun_message(0),
                                     channel_data(0x4000, 65533), stun_message(65528)};
  StreamFramer framer;
  std::vector<Octets> frames;
  feed(framer, stream_of(messages), frames);
  EXPECT_EQ(frames, messages);
  EXPECT_EQ(frames[0].size(), kMessageBytesMax);
  EXPECT_LE(framer.prepare().size(), kBufferBytesMax);
}

TEST(StreamFramer, GrowsOnlyWithWhatHasCome) {
  StreamFramer framer;
  const std::size_t initial = framer.prepare().size();
  EXPECT_LE(initial, 4096u);
  std::vector<Octets> frames;
  feed(framer, Bytes{stun_message(65528)}.first(kHeaderBytes), frames);  // announces 64 KiB
  EXPECT_LT(framer.prepare().size(), initial);
  feed(framer, Bytes{stun_message(65528)}.subspan(kHeaderBytes, 2 * initial), frames);
  EXPECT_LE(framer.prepare().size(), 4 * initial);
  EXPECT_TRUE(frames.empty());
}

TEST(StreamFramer, GrowsWhileAReadFillsItAndShrinksWhenReadsAreSmall) {
  StreamFramer framer;
  const std::size_t initial = framer.prepare().size();
  const auto read = [&](std::size_t bytes) {
    const Octets zero = channel_data(0x4000, 0);
    const MutableBytes room = framer.prepare();
    for (std::size_t at = 0; at < bytes; ++at)
      room[at] = zero[at % zero.size()];
    framer.commit(bytes);
    while (*framer.next()) {
    }
    return framer.prepare().size();
  };
  EXPECT_GT(read(initial), initial) << "there may be more to read";
  std::size_t room = 0;
  for (int i = 0; i < 10; ++i)
    room = read(framer.prepare().size() / 4 * 4);
  EXPECT_LE(room, kBufferBytesMax);
  EXPECT_GE(room, 65536u);
  for (int i = 0; i < 100; ++i)
    room = read(4);
  EXPECT_EQ(room, initial);
}

TEST(StreamFramer, WaitsForThePaddingOfChannelData) {
  StreamFramer framer;
  std::vector<Octets> frames;
  feed(framer, from_hex("40 00 00 05 68 65 6c 6c 6f 00 00"), frames);
  EXPECT_TRUE(frames.empty());
  feed(framer, from_hex("00"), frames);
  EXPECT_EQ(frames, std::vector<Octets>{from_hex("40 00 00 05 68 65 6c 6c 6f")});
}

TEST(StreamFramer, RefusesGarbageFirstOctets) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    StreamFramer framer;
    framer.prepare()[0] = static_cast<std::uint8_t>(octet);
    framer.commit(1);
    const auto result = framer.next();
    if (octet <= 3 || (octet >= 0x40 && octet <= 0x7F)) {
      ASSERT_TRUE(result.has_value()) << octet;
      EXPECT_FALSE(result->has_value());
    } else {
      ASSERT_TRUE(result.has_error()) << octet;
      EXPECT_EQ(result.error(), FramingError::kNeitherStunNorChannelData);
    }
  }
}

// The answer to octets that arrive one at a time: the error, and after how many octets it was known.
std::pair<FramingError, std::size_t> error_after(const Octets& octets) {
  StreamFramer framer;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    framer.prepare()[0] = octets[i];
    framer.commit(1);
    if (const auto result = framer.next(); !result) return {result.error(), i + 1};
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(StreamFramer, RefusesABadStunHeaderAsSoonAsItCanTell) {
  EXPECT_EQ(error_after(from_hex("00 01 00 01")), std::pair(FramingError::kBadStunHeader, std::size_t{4}));
  EXPECT_EQ(error_after(from_hex("00 01 ff ff")), std::pair(FramingError::kBadStunHeader, std::size_t{4}));
  EXPECT_EQ(error_after(from_hex("00 01 00 00 21 12 a4 43")), std::pair(FramingError::kBadStunHeader, std::size_t{8}));
}

TEST(StreamFramer, AnErrorFollowsTheFramesInFrontOfIt) {
  StreamFramer framer;
  Octets stream = stream_of({stun_message(4), channel_data(0x4000, 1)});
  stream.push_back(0x16);  // a TLS record
  std::copy(stream.begin(), stream.end(), framer.prepare().begin());
  framer.commit(stream.size());
  EXPECT_EQ((*framer.next())->size(), 28u);
  EXPECT_EQ((*framer.next())->size(), 5u);
  EXPECT_EQ(framer.next().error(), FramingError::kNeitherStunNorChannelData);
  EXPECT_EQ(framer.next().error(), FramingError::kNeitherStunNorChannelData);
}

TEST(StreamFramer, FramesStayUntouchedWhileEarlierOnesAreFramedAnew) {
  StreamFramer framer;
  const Octets stream = stream_of({channel_data(0x4000, 8), channel_data(0x4001, 8)});
  std::copy(stream.begin(), stream.end(), framer.prepare().begin());
  framer.commit(stream.size());
  const MutableBytes first = **framer.next();
  const MutableBytes second = **framer.next();
  const Octets second_before(second.begin(), second.end());
  std::memset(first.data() - StreamFramer::kHeadroomBytes, 0xAA, StreamFramer::kHeadroomBytes + first.size());
  EXPECT_EQ(Octets(second.begin(), second.end()), second_before);
  EXPECT_EQ(*framer.next(), std::nullopt);
}

}  // namespace
}  // namespace causeway::stun
