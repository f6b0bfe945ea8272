// SPDX-License-Identifier: Apache-2.0
// ReceiveBatch and SendBatch on real sockets of this machine.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "net/receive_batch.hpp"
#include "net/send_batch.hpp"

namespace causeway::net {
namespace {

const IpAddress kLoopback{std::array<std::uint8_t, 4>{127, 0, 0, 1}};

std::vector<std::uint8_t> octets(std::size_t bytes, std::uint8_t first) {
  std::vector<std::uint8_t> made(bytes);
  std::iota(made.begin(), made.end(), first);
  return made;
}

struct DatagramBatches : testing::Test {
  void SetUp() override {
    for (UdpSocket* socket : {&from, &to, &other})
      ASSERT_TRUE(socket->open({kLoopback, 0}, UdpSocket::Purpose::kRelay));
  }
  SendBatch::Flow flow(UdpSocket& target) { return {&from, *target.local_endpoint()}; }
  // What lies at the socket, datagram by datagram.
  std::vector<std::vector<std::uint8_t>> read(UdpSocket& socket) {
    std::vector<std::vector<std::uint8_t>> all;
    for (;;) {
      received.clear();
      const auto batch = received.receive(socket, ReceiveBatch::kSlots);
      if (batch.empty()) return all;
      for (const Received& one : batch) {
        EXPECT_EQ(one.from, *from.local_endpoint());
        for (Bytes rest = one.bytes; !rest.empty();) {
          const Bytes datagram = rest.first(std::min(one.segment_bytes, rest.size()));
          all.emplace_back(datagram.begin(), datagram.end());
          rest = rest.subspan(datagram.size());
        }
        if (one.bytes.empty()) all.emplace_back();
      }
    }
  }

  UdpSocket from, to, other;
  ReceiveBatch received;
  SendBatch sends;
};

using Datagrams = std::vector<std::vector<std::uint8_t>>;

TEST_F(DatagramBatches, EqualDatagramsOfAFlowLeaveTogether) {
  const Datagrams sent{octets(100, 1), octets(100, 2), octets(100, 3), octets(40, 4)};
  for (const auto& datagram : sent)
    sends.add(flow(to), datagram, {});
  sends.flush();
  EXPECT_TRUE(sends.empty());
  EXPECT_EQ(sends.counters().segmented_sends, 1u);
  EXPECT_EQ(sends.counters().failures, 0u);
  EXPECT_EQ(read(to), sent);
}

TEST_F(DatagramBatches, FlowsThatTakeTurnsKeepTheirOrder) {
  Datagrams expected_to, expected_other;
  for (std::uint8_t i = 0; i < 40; ++i) {
    const auto size = static_cast<std::size_t>(i % 7 == 3 ? 120 : 60 + i % 3);
    expected_to.push_back(octets(size, i));
    expected_other.push_back(octets(80, i));
    sends.add(flow(to), expected_to.back(), {});
    sends.add(flow(other), expected_other.back(), {});
  }
  sends.flush();
  EXPECT_EQ(read(to), expected_to);
  EXPECT_EQ(read(other), expected_other);
}

TEST_F(DatagramBatches, AnEmptyDatagramIsSent) {
  const Datagrams sent{octets(10, 1), {}, octets(10, 2), {}};
  for (const auto& datagram : sent)
    sends.add(flow(to), datagram, {});
  sends.flush();
  EXPECT_EQ(read(to), sent);
}

TEST_F(DatagramBatches, WhatReachesIntoNeighboursIsCopied) {
  auto memory = octets(60, 0);
  const MutableBytes all{memory};
  // Two segments of 20 octets; each gets four octets in front of it and two behind, in the place of its neighbours'.
  Datagrams expected;
  for (const std::size_t at : {std::size_t{20}, std::size_t{40}}) {
    const MutableBytes datagram = at == 20 ? all.subspan(16, 26) : all.subspan(36, 24);
    const std::vector<std::uint8_t> neighbours{datagram.begin(), datagram.end()};
    std::fill_n(datagram.begin(), 4, std::uint8_t{0xAA});
    if (at == 20) std::fill_n(datagram.begin() + 24, 2, std::uint8_t{0});
    expected.emplace_back(datagram.begin(), datagram.end());
    sends.add(flow(to), datagram, all.subspan(at, 20));
    std::copy(neighbours.begin(), neighbours.end(), datagram.begin());
  }
  sends.flush();
  EXPECT_EQ(read(to), expected);
}

TEST_F(DatagramBatches, AsManyAsItTakes) {
  const auto datagram = octets(20, 0);
  std::size_t count = 0;
  for (; !sends.is_full(); ++count)
    sends.add(flow(to), datagram, {});
  EXPECT_EQ(count, SendBatch::kDatagramsMax);
  sends.flush();
  EXPECT_EQ(read(to).size(), count);
}

TEST_F(DatagramBatches, AnEarlierErrorCostsNoDatagram) {
  const Endpoint nobody = *other.local_endpoint();
  other = UdpSocket{};
  const auto datagram = octets(30, 2);
  sends.add({&from, nobody}, datagram, {});
  sends.flush();  // an ICMP error comes back at once
  for (int i = 0; i < 3; ++i)
    sends.add(flow(to), datagram, {});
  sends.flush();
  EXPECT_EQ(read(to).size(), 3u);
  EXPECT_EQ(sends.counters().failures, 0u);
}

TEST_F(DatagramBatches, TheTrafficClassGoesWithEachDatagram) {
  const auto datagram = octets(10, 1);
  auto marked = flow(to);
  marked.traffic_class.octet = 0xB8;
  sends.add(flow(to), datagram, {});
  sends.add(marked, datagram, {});
  sends.flush();
  const auto batch = received.receive(to, ReceiveBatch::kSlots);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].traffic_class.octet, 0);
  EXPECT_EQ(batch[1].traffic_class.octet, 0xB8);
}

TEST_F(DatagramBatches, NoMoreThanAskedFor) {
  const auto datagram = octets(10, 1);
  for (int i = 0; i < 3; ++i) {
    sends.add(flow(to), datagram, {});
    sends.flush();
  }
  EXPECT_EQ(received.receive(to, 2).size(), 2u);
  EXPECT_EQ(received.receive(to, 2).size(), 1u);
  EXPECT_EQ(received.free_slots(), ReceiveBatch::kSlots - 3);
  EXPECT_TRUE(received.receive(to, 2).empty());
}

TEST_F(DatagramBatches, WhatTheKernelLosesIsCounted) {
  const auto datagram = octets(60'000, 1);
  std::size_t sent = 0;
  for (; sent < 200; ++sent) {
    sends.add(flow(to), datagram, {});
    sends.flush();
  }
  std::size_t arrived = 0;
  for (std::size_t count = 1; count != 0; arrived += count) {
    received.clear();
    count = received.receive(to, ReceiveBatch::kSlots).size();
    if (count == 0 && arrived < sent) {  // the next one that arrives tells of those before it
      sends.add(flow(to), datagram, {});
      sends.flush();
      ++sent;
      received.clear();
      EXPECT_EQ(received.receive(to, 1).size(), 1u);
      ++arrived;
    }
  }
  EXPECT_GT(received.kernel_drops(), 0u);
  EXPECT_EQ(received.kernel_drops(), sent - arrived);
}

}  // namespace
}  // namespace causeway::net
