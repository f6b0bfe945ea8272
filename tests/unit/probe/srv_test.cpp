// SPDX-License-Identifier: Apache-2.0
#include "probe/srv.hpp"

#include <gmock/gmock.h>

#include <string>

using namespace causeway;
using namespace causeway::probe;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

std::string u16(unsigned number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
}

std::string header(unsigned answers) {
  return u16(0x1234) + u16(0x8180) + u16(0) + u16(answers) + u16(0) + u16(0);
}

// For the root, with a lifetime of 60 seconds.
std::string record(unsigned type, const std::string& value) {
  return std::string(1, 0) + u16(type) + u16(1) + u16(0) + u16(60) + u16(static_cast<unsigned>(value.size())) + value;
}

std::string srv(unsigned priority, unsigned weight, unsigned port, const std::string& label) {
  const std::string name = label.empty() ? "" : static_cast<char>(label.size()) + label;
  return record(33, u16(priority) + u16(weight) + u16(port) + name + std::string(1, 0));
}

}  // namespace

TEST(Srv, IsSortedByPriorityAndWeight) {
  const std::string answer =
      header(4) + srv(20, 9, 1, "last") + srv(10, 1, 2, "light") + record(1, "\1\2\3\4") + srv(10, 5, 443, "heavy");
  EXPECT_THAT(parse_srv_answer(as_bytes(answer)),
              ElementsAre(SrvTarget{10, 5, 443, "heavy"}, SrvTarget{10, 1, 2, "light"}, SrvTarget{20, 9, 1, "last"}));
}

TEST(Srv, ARootTargetMeansThereIsNoSuchService) {
  EXPECT_THAT(parse_srv_answer(as_bytes(header(1) + srv(0, 0, 0, ""))), IsEmpty());
}

TEST(Srv, TakesSixteenAtMost) {
  std::string answer = header(40);
  for (unsigned i = 0; i < 40; ++i)
    answer += srv(0, 0, i + 1, "a");
  EXPECT_THAT(parse_srv_answer(as_bytes(answer)), SizeIs(16));
}

TEST(Srv, WhatIsCutOffIsNoAnswer) {
  const std::string answer = header(1) + srv(10, 5, 443, "heavy");
  for (std::size_t size = 0; size < answer.size(); ++size)
    EXPECT_THAT(parse_srv_answer(as_bytes(std::string_view{answer}.substr(0, size))), IsEmpty()) << size;
  EXPECT_THAT(parse_srv_answer(as_bytes(header(1) + record(33, u16(1) + u16(2) + u16(3)))), IsEmpty());
  const std::string loop = header(1) + record(33, u16(1) + u16(2) + u16(3) + "\xC0\x1D");
  EXPECT_THAT(parse_srv_answer(as_bytes(loop)), IsEmpty());
}
