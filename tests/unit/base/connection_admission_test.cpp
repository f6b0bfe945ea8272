// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/connection_admission.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "addresses.hpp"

namespace causeway {
namespace {

using std::chrono::seconds;
using test::ip;

class ConnectionAdmissionTest : public testing::Test {
 protected:
  using Decision = ConnectionAdmission::Decision;

  ConnectionAdmission admission_{{.connections_max = 800, .unauthenticated_per_source = 10}, 1};
  TimePoint now_{seconds{1000}};

  Decision admit(const std::string& source) { return admission_.admit(ip(source), now_); }
  // Admits `count` and expects that nobody has to go for them.
  std::vector<ConnectionHandle> fill(const std::string& source, std::size_t count) {
    std::vector<ConnectionHandle> admitted;
    for (std::size_t i = 0; i < count; ++i) {
      const Decision decision = admit(source);
      EXPECT_FALSE(decision.shortage) << source << " " << i;
      if (decision.admitted) admitted.push_back(*decision.admitted);
    }
    return admitted;
  }
  std::uint64_t evicted(Shortage shortage) const {
    return admission_.counters().evicted.at(static_cast<std::size_t>(shortage));
  }
  std::uint64_t refused(Shortage shortage) const {
    return admission_.counters().refused.at(static_cast<std::size_t>(shortage));
  }
};

TEST_F(ConnectionAdmissionTest, the_oldest_of_a_full_source_makes_room) {
  const auto first = fill("192.0.2.1", 10);
  now_ += seconds{1};
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Decision decision = admit("192.0.2.1");
    EXPECT_TRUE(decision.admitted);
    EXPECT_EQ(decision.evicted, first[i]);
    EXPECT_EQ(decision.shortage, Shortage::kSource);
  }
  EXPECT_EQ(admission_.open(), 10U);
  EXPECT_EQ(evicted(Shortage::kSource), 10U);
}

TEST_F(ConnectionAdmissionTest, a_flood_of_one_source_is_refused_while_its_connections_are_young) {
  fill("192.0.2.1", 10);
  now_ += seconds{1} - std::chrono::milliseconds{1};
  const Decision decision = admit("192.0.2.1");
  EXPECT_FALSE(decision.admitted);
  EXPECT_FALSE(decision.evicted);
  EXPECT_EQ(decision.shortage, Shortage::kSource);
  EXPECT_EQ(refused(Shortage::kSource), 1U);
  EXPECT_TRUE(admit("192.0.2.2").admitted) << "another source";
}

TEST_F(ConnectionAdmissionTest, an_ipv6_source_is_a_64_and_its_wider_networks_have_limits_as_well) {
  fill("2001:db8::1", 5);
  fill("2001:db8::ffff", 5);
  EXPECT_EQ(admit("2001:db8::2").shortage, Shortage::kSource);
  fill("2001:db8:0:1::1", 10);
  EXPECT_EQ(admit("2001:db8:0:2::1").shortage, Shortage::kNetwork) << "20 in the /56";
  fill("2001:db8:0:100::1", 10);
  fill("2001:db8:0:200::1", 10);
  EXPECT_EQ(admit("2001:db8:0:300::1").shortage, Shortage::kNetwork) << "40 in the /48";
  fill("2001:db8:1::1", 10);
  EXPECT_EQ(refused(Shortage::kNetwork), 2U);
}

TEST_F(ConnectionAdmissionTest, the_oldest_of_a_wider_network_makes_room_for_another_part_of_it) {
  const auto oldest = fill("2001:db8:0:1::1", 10);
  fill("2001:db8:0:2::1", 10);
  now_ += seconds{1};
  EXPECT_EQ(admit("2001:db8:0:3::1").evicted, oldest[0]);
  EXPECT_EQ(evicted(Shortage::kNetwork), 1U);
}

TEST_F(ConnectionAdmissionTest, half_of_all_places_are_for_unauthenticated_connections_and_the_oldest_goes_first) {
  const auto oldest = fill("192.0.2.1", 1);
  for (int source = 0; source < 39; ++source)
    fill("198.51.100." + std::to_string(source), 10);
  fill("192.0.2.1", 9);
  EXPECT_EQ(admission_.unauthenticated(), 400U);
  EXPECT_EQ(admit("203.0.113.1").shortage, Shortage::kTotal) << "all are young";
  EXPECT_EQ(refused(Shortage::kTotal), 1U);
  now_ += seconds{1};
  EXPECT_EQ(admit("203.0.113.1").evicted, oldest[0]);
  EXPECT_EQ(evicted(Shortage::kTotal), 1U);
  EXPECT_EQ(admission_.unauthenticated(), 400U);
}

TEST_F(ConnectionAdmissionTest, authenticated_connections_count_against_no_source_and_are_never_evicted) {
  for (int i = 0; i < 300; ++i) {
    const Decision decision = admit("192.0.2.1");
    ASSERT_TRUE(decision.admitted) << i;
    EXPECT_EQ(admission_.on_authenticated(*decision.admitted), ip("192.0.2.1"));
  }
  fill("192.0.2.1", 10);
  now_ += seconds{1};
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(admit("192.0.2.1").evicted);
  EXPECT_EQ(admission_.open(), 310U);
  EXPECT_EQ(admission_.unauthenticated(), 10U);
  EXPECT_EQ(admission_.counters().authenticated, 300U);
}

TEST_F(ConnectionAdmissionTest, a_connection_authenticates_once) {
  const auto connection = fill("192.0.2.1", 1)[0];
  EXPECT_TRUE(admission_.on_authenticated(connection));
  EXPECT_FALSE(admission_.on_authenticated(connection));
  EXPECT_EQ(admission_.counters().authenticated, 1U);
}

TEST_F(ConnectionAdmissionTest, trusted_connections_have_places_that_nobody_else_can_take) {
  std::size_t authenticated = 0;
  for (;; ++authenticated) {
    const Decision decision = admit("192.0.2.1");
    if (!decision.admitted) break;
    admission_.on_authenticated(*decision.admitted);
  }
  EXPECT_EQ(authenticated, 800 - ConnectionAdmission::kTrustedPlaces);
  EXPECT_EQ(refused(Shortage::kTotal), 1U);
  for (std::size_t i = 0; i < ConnectionAdmission::kTrustedPlaces; ++i)
    EXPECT_TRUE(admission_.admit_trusted(now_).admitted);
  EXPECT_FALSE(admission_.admit_trusted(now_).admitted) << "nobody is left to be evicted";
  EXPECT_EQ(admission_.open(), 800U);
}

TEST_F(ConnectionAdmissionTest, a_trusted_connection_evicts_an_unauthenticated_one_whatever_its_age) {
  for (int i = 0; i < 700; ++i)
    admission_.on_authenticated(*admit("192.0.2.1").admitted);
  const auto oldest = fill("192.0.2.1", 10);
  while (admission_.open() < 800)
    ASSERT_TRUE(admission_.admit_trusted(now_).admitted);
  EXPECT_EQ(admission_.admit_trusted(now_).evicted, oldest[0]);
}

TEST_F(ConnectionAdmissionTest, trusted_connections_take_half_of_all_at_most) {
  const auto oldest = admission_.admit_trusted(now_).admitted;
  for (int i = 1; i < 400; ++i)
    ASSERT_FALSE(admission_.admit_trusted(now_).shortage);
  const Decision decision = admission_.admit_trusted(now_);
  EXPECT_EQ(decision.shortage, Shortage::kTrusted);
  EXPECT_EQ(decision.evicted, oldest);
}

TEST_F(ConnectionAdmissionTest, behind_a_proxy_a_connection_counts_against_its_client) {
  std::optional<ConnectionHandle> first;
  for (int i = 0; i < 10; ++i) {
    const auto connection = *admission_.admit_trusted(now_).admitted;
    if (!first) first = connection;
    EXPECT_EQ(admission_.identify(connection, ip("192.0.2.1"), now_).admitted, connection);
  }
  const auto refused = *admission_.admit_trusted(now_).admitted;
  const Decision decision = admission_.identify(refused, ip("192.0.2.1"), now_);
  EXPECT_FALSE(decision.admitted);
  EXPECT_EQ(decision.shortage, Shortage::kSource);
  EXPECT_EQ(admission_.open(), 10U) << "the refused one has lost its place";
  const auto other = *admission_.admit_trusted(now_).admitted;
  EXPECT_TRUE(admission_.identify(other, ip("192.0.2.2"), now_).admitted);
  now_ += seconds{1};
  const auto next = *admission_.admit_trusted(now_).admitted;
  EXPECT_EQ(admission_.identify(next, ip("192.0.2.1"), now_).evicted, first);
}

TEST_F(ConnectionAdmissionTest, a_handle_of_a_connection_that_is_gone_is_harmless) {
  const auto gone = fill("192.0.2.1", 1)[0];
  admission_.on_closed(gone);
  EXPECT_EQ(admission_.open(), 0U);
  const auto successor = fill("192.0.2.1", 1)[0];
  EXPECT_EQ(successor.index, gone.index);
  admission_.on_closed(gone);
  EXPECT_FALSE(admission_.on_authenticated(gone));
  EXPECT_FALSE(admission_.identify(gone, ip("192.0.2.1"), now_).admitted);
  admission_.on_closed({});
  EXPECT_EQ(admission_.open(), 1U);
  EXPECT_EQ(admission_.unauthenticated(), 1U);
}

TEST_F(ConnectionAdmissionTest, places_are_given_back_in_any_order) {
  const auto connections = fill("2001:db8::1", 10);
  for (const std::size_t i : {5U, 0U, 9U, 3U})
    admission_.on_closed(connections[i]);
  const auto more = fill("2001:db8::1", 4);
  now_ += seconds{1};
  for (const std::size_t i : {1U, 2U, 4U, 6U, 7U, 8U})
    EXPECT_EQ(admit("2001:db8::1").evicted, connections[i]);
  EXPECT_EQ(admit("2001:db8::1").evicted, more[0]);
}

TEST_F(ConnectionAdmissionTest, a_small_server_gives_a_source_a_quarter) {
  admission_.set_limits({.connections_max = 16, .unauthenticated_per_source = 10});
  fill("192.0.2.1", 4);
  EXPECT_EQ(admit("192.0.2.1").shortage, Shortage::kSource);
}

TEST_F(ConnectionAdmissionTest, without_a_limit_for_each_source_half_of_all_places_remains) {
  admission_.set_limits({.connections_max = 800, .unauthenticated_per_source = 0});
  fill("192.0.2.1", 400);
  EXPECT_EQ(admit("192.0.2.1").shortage, Shortage::kTotal);
}

// Carrier NAT, an office: each of 200 people loads a page (6 connections), joins (1) and allocates over tcp and tls.
TEST(ConnectionAdmissionDefaultsTest, two_hundred_people_behind_one_source_are_served_at_once) {
  for (const std::string source : {"192.0.2.1", "2001:db8::1"}) {
    ConnectionAdmission admission{{.connections_max = 19'024}, 1};
    for (int i = 0; i < 200 * 9; ++i)
      EXPECT_FALSE(admission.admit(ip(source), TimePoint{}).shortage) << source << " " << i;
  }
}

}  // namespace
}  // namespace causeway
