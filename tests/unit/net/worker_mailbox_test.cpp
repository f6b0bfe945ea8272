// SPDX-License-Identifier: Apache-2.0
#include "net/worker_mailbox.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "causeway/turn/server.hpp"

namespace causeway::net {
namespace {

// Octets by which a packet is known: its number, then what follows from that.
std::vector<std::uint8_t> packet_of(std::size_t number, std::size_t bytes) {
  std::vector<std::uint8_t> packet(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    packet[i] = static_cast<std::uint8_t>(number * 7 + i);
  return packet;
}

WorkerMail note(std::size_t number) {
  return ClientPacketMail{0, {{}, number, 0}, {}};
}

std::size_t number_of(const WorkerMail& mail) {
  return std::get<ClientPacketMail>(mail).client.link;
}

bool equal(MutableBytes packet, const std::vector<std::uint8_t>& wanted) {
  return std::equal(packet.begin(), packet.end(), wanted.begin(), wanted.end());
}

bool is_readable(const WorkerMailbox& mailbox) {
  pollfd polled{mailbox.descriptor(), POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

// Sizes from nothing to the largest datagram.
std::size_t size_of(std::size_t number) {
  return number * number * 31 % 65536;
}

TEST(WorkerMailbox, HandsOverInOrderThroughManyTurnsOfTheRing) {
  WorkerMailbox mailbox{2};
  std::size_t sent = 0;
  std::size_t received = 0;
  while (received < 2000) {
    while (mailbox.post(1, note(sent), packet_of(sent, size_of(sent))))
      ++sent;
    mailbox.collect([&](const MailRing::Letter& letter) {
      EXPECT_EQ(number_of(letter.mail), received);
      EXPECT_TRUE(equal(letter.packet, packet_of(received, size_of(received)))) << received;
      ++received;
    });
    mailbox.release();
  }
}

TEST(WorkerMailbox, LeavesRoomAroundEachPacket) {
  WorkerMailbox mailbox{1};
  for (std::size_t number = 0; number < 50; ++number)
    ASSERT_TRUE(mailbox.post(0, note(number), packet_of(number, number)));
  std::vector<MutableBytes> packets;
  mailbox.collect([&](const MailRing::Letter& letter) {
    std::memset(letter.packet.data() - turn::Server::kHeadroomBytes, 0xFF, turn::Server::kHeadroomBytes);
    std::memset(letter.packet.data() + letter.packet.size(), 0xFF, turn::Server::kTailroomBytes);
    packets.push_back(letter.packet);
  });
  ASSERT_EQ(packets.size(), 50u);
  for (std::size_t number = 0; number < packets.size(); ++number)
    EXPECT_TRUE(equal(packets[number], packet_of(number, number))) << number;
}

TEST(WorkerMailbox, IsReadableWhileThereIsSomething) {
  WorkerMailbox mailbox{1};
  EXPECT_FALSE(is_readable(mailbox));
  constexpr std::size_t kLetters = WorkerMailbox::kLettersMax + 1;
  for (std::size_t number = 0; number < kLetters; ++number)
    ASSERT_TRUE(mailbox.post(0, note(number), {}));
  std::size_t received = 0;
  const auto count = [&](const MailRing::Letter& /*letter*/) { ++received; };
  EXPECT_TRUE(is_readable(mailbox));
  mailbox.collect(count);
  EXPECT_EQ(received, WorkerMailbox::kLettersMax);  // one sender does not starve the others
  EXPECT_TRUE(is_readable(mailbox));
  mailbox.collect(count);
  EXPECT_EQ(received, kLetters);
  EXPECT_FALSE(is_readable(mailbox));
}

TEST(WorkerMailbox, TakesNoMoreThanItHasRoomForUntilThatIsReleased) {
  WorkerMailbox mailbox{1};
  const auto packet = packet_of(0, 60000);
  while (mailbox.post(0, note(0), packet)) {
  }
  const auto nothing = [](const MailRing::Letter& /*letter*/) {};
  mailbox.collect(nothing);
  EXPECT_FALSE(mailbox.post(0, note(0), packet)) << "what was collected is still in use";
  mailbox.release();
  EXPECT_TRUE(mailbox.post(0, note(0), packet));
}

TEST(WorkerMailbox, LosesNothingBetweenThreadsAndNeverSleepsOverALetter) {
  constexpr std::size_t kSenders = 3;
  constexpr std::size_t kLetters = 20000;
  WorkerMailbox mailbox{kSenders};
  std::vector<std::thread> senders;
  for (std::size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&mailbox, sender] {
      for (std::size_t number = 0; number < kLetters;) {
        if (mailbox.post(static_cast<turn::WorkerIndex>(sender),
                         ClientPacketMail{static_cast<turn::WorkerIndex>(sender), {{}, number, 0}, {}},
                         packet_of(number, number % 200))) {
          ++number;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  std::array<std::size_t, kSenders> received{};
  for (std::size_t total = 0; total < kSenders * kLetters;) {
    pollfd polled{mailbox.descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&polled, 1, 60'000), 1) << "nobody has said that there is something";
    mailbox.collect([&](const MailRing::Letter& letter) {
      const auto& mail = std::get<ClientPacketMail>(letter.mail);
      EXPECT_EQ(mail.client.link, received[mail.from]);
      EXPECT_TRUE(equal(letter.packet, packet_of(mail.client.link, mail.client.link % 200)));
      ++received[mail.from];
      ++total;
    });
    mailbox.release();
  }
  for (std::thread& sender : senders)
    sender.join();
}

}  // namespace
}  // namespace causeway::net
