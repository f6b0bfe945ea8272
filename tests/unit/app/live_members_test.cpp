// SPDX-License-Identifier: Apache-2.0
#include "app/live_members.hpp"

#include <gtest/gtest.h>

namespace causeway::app {
namespace {

const std::string kAda = LiveMembers::user_of("Zr4abcdefghij-_0", "Xq1abcdefghij-_1");

TEST(LiveMembers, AMemberIsAdmittedFromItsArrivalToItsDeparture) {
  LiveMembers members;
  EXPECT_FALSE(members.admits(kAda)) << "of the process before this one, or nobody's";
  members.add(kAda);
  members.add(kAda);  // fresh credentials
  EXPECT_TRUE(members.admits(kAda));
  EXPECT_EQ(members.size(), 1U);
  EXPECT_FALSE(members.admits(LiveMembers::user_of("Zr4abcdefghij-_0", "Xq1abcdefghij-_2")));
  members.remove(kAda);
  members.remove(kAda);
  EXPECT_FALSE(members.admits(kAda));
  EXPECT_EQ(members.size(), 0U);
}

TEST(LiveMembers, WhoIsNoMemberIsNoneOfItsBusiness) {
  const LiveMembers members;
  for (const char* user :
       {"alice", "", "1800000000", "alice/bob", "Zr4abcdefghij-_0", "Zr4abcdefghij-_0/", "/Xq1abcdefghij-_1",
        "Zr4abcdefghij-_0/Xq1abcdefghij-_12", "Zr4abcdefghij.!0/Xq1abcdefghij-_1", "Zr4abcdefghij-_0/Xq1abcd/fghij-_1",
        "Zr4abcdefghij-_0:Xq1abcdefghij-_1"}) {
    EXPECT_TRUE(members.admits(user)) << user;
  }
}

}  // namespace
}  // namespace causeway::app
