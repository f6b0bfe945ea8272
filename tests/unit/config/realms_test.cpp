// SPDX-License-Identifier: Apache-2.0
// The list `realms`, names in their OpaqueString form, the alternate server, and what a reload takes over.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "app/reload.hpp"
#include "app/turn_realms.hpp"
#include "config/load.hpp"

using namespace causeway;
using namespace causeway::config;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

Result<Config, Findings> load_json(const json& document) {
  return load_text(document.dump(), "/etc/causeway.json", {{"HOME", "/h"}}, {});
}
Config loaded(const json& document) {
  const auto config = load_json(document);
  if (!config) throw std::runtime_error(config.error().front().to_string());
  return *config;
}
std::string problem(const json& document) {
  const auto config = load_json(document);
  return config ? "" : config.error().front().to_string();
}
json realm(const json& changes) {
  json made{{"realm", "example.net"}, {"server_names", {"turn.example.net"}}, {"users", {{"alice", "secret"}}}};
  if (!changes.is_null()) made.update(changes);
  return {{"realm", "example.org"}, {"realms", {made}}};
}

}  // namespace

TEST(Realms, HaveUsersSecretsAndLimits) {
  json document = realm({{"addresses", {"192.0.2.1", "2001:db8::1"}},
                         {"server_names", {"TURN.Example.net"}},
                         {"shared_secrets", {"north"}},
                         {"limits", {{"allocations_per_user", 3}}}});
  document["turn"]["limits"] = {{"allocations_per_user", 7}, {"user_bytes_per_second", 1000}};
  const Config config = loaded(document);
  ASSERT_EQ(config.realms.size(), 1u);
  const Realm& made = config.realms[0];
  EXPECT_EQ(made.realm, "example.net");
  EXPECT_EQ(made.addresses.size(), 2u);
  EXPECT_THAT(made.server_names, ElementsAre("turn.example.net"));
  EXPECT_EQ(made.users.at("alice"), "secret");
  EXPECT_EQ(made.limits.allocations_per_user, 3u);
  EXPECT_EQ(made.limits.user_bytes_per_second, 1000u) << "by default those of turn.limits";
  EXPECT_EQ(config.turn.limits.allocations_per_user, 7u);

  const auto selector = app::realm_selector(config);
  EXPECT_EQ(selector.by_address(*IpAddress::parse("192.0.2.1")), 1);
  EXPECT_EQ(selector.by_address(*IpAddress::parse("192.0.2.2")), 0);
  EXPECT_EQ(selector.by_name("Turn.Example.NET", IpAddress{}), 1);
  EXPECT_EQ(selector.by_name("turn.example.com", *IpAddress::parse("2001:db8::1")), 1);
  EXPECT_EQ(selector.by_name("", IpAddress{}), 0);
}

TEST(Realms, MayNotOverlapOrBeOutOfReach) {
  EXPECT_THAT(problem(realm({{"realm", "example.org"}})), HasSubstr("must be another one"));
  EXPECT_THAT(problem(realm({{"server_names", json::array()}})), HasSubstr("no client belongs to it"));
  EXPECT_THAT(problem(realm({{"users", json::object()}})), HasSubstr("nobody can use it"));
  EXPECT_THAT(problem(realm({{"addresses", {"0.0.0.0"}}})), HasSubstr("realms[0].addresses[0]"));
  EXPECT_THAT(problem(realm({{"server_names", {"192.0.2.1"}}})), HasSubstr("must be a host name"));
  EXPECT_THAT(problem(realm({{"server_names", {"a.example", "A.example"}}})), HasSubstr("has one realm"));
  EXPECT_THAT(problem(realm({{"addresses", {"192.0.2.1", "192.0.2.1"}}})), HasSubstr("has one realm"));
  json two = realm({});
  two["realms"].push_back(
      {{"realm", "example.com"}, {"server_names", {"turn.example.net"}}, {"shared_secrets", {"s"}}});
  EXPECT_THAT(problem(two), HasSubstr("realms[1].server_names"));
  json elsewhere = realm({{"addresses", {"192.0.2.1"}}});
  elsewhere["listeners"] = {{{"transport", "tls"}, {"address", "192.0.2.2"}, {"port", 443}}};
  EXPECT_THAT(problem(elsewhere), HasSubstr("on which no listener listens"));
  json plain = realm({});
  plain["listeners"] = {{{"transport", "udp"}, {"port", 3478}}};
  EXPECT_THAT(problem(plain), HasSubstr("needs a tls or dtls listener"));
}

TEST(OpaqueNames, AreTheSameHoweverTheyAreTyped) {
  const Config config = loaded({{"realm", "ba\u030Ar"}, {"turn", {{"users", {{"a\u00A0b", "pa\u030Assword"}}}}}});
  EXPECT_EQ(config.realm, "b\u00E5r");
  EXPECT_EQ(config.turn.users.at("a b"), "p\u00E5ssword");
  EXPECT_THAT(problem({{"turn", {{"users", {{"\u00E5", "x"}, {"a\u030A", "y"}}}}}}),
              HasSubstr("is the name of another user too"));
  EXPECT_THAT(problem({{"turn", {{"users", {{"al\u00ADice", "x"}}}}}}), HasSubstr("is no name for a user"));
  EXPECT_THAT(problem({{"turn", {{"users", {{"alice", "\u200B"}}}}}}), HasSubstr("must be the user's password"));
  EXPECT_THAT(problem({{"realm", "\uE000"}}), HasSubstr("realm must be"));
}

TEST(AlternateServer, HasAnAddressOfEachFamily) {
  const auto with = [](const json& alternate) { return json{{"turn", {{"alternate", alternate}}}}; };
  const Config config = loaded(with({{"addresses", {"203.0.113.8:3478", "[2001:db8::8]:3479"}},
                                     {"tls_port", 5349},
                                     {"domain", "Turn2.example.org"}}));
  const auto alternate = app::alternate_server(config);
  ASSERT_EQ(alternate.addresses.size(), 2u);
  EXPECT_EQ(alternate.addresses[0].to_string(), "203.0.113.8:3478");
  EXPECT_EQ(alternate.addresses[1].to_string(), "[2001:db8::8]:3479");
  EXPECT_EQ(alternate.tls_port, 5349);
  EXPECT_EQ(alternate.domain, "turn2.example.org");
  for (const char* wrong : {"203.0.113.8", "2001:db8::8:3478", "[203.0.113.8]:3478", "203.0.113.8:0", "0.0.0.0:3478"})
    EXPECT_THAT(problem(with({{"addresses", {wrong}}})), HasSubstr("must be an address with a port")) << wrong;
  EXPECT_THAT(problem(with({{"addresses", {"203.0.113.8:1", "203.0.113.9:1"}}})), HasSubstr("one family"));
}

TEST(Reload, TakesOverWhatIsLiveAndNamesTheRest) {
  json before = realm({});
  const Config running = loaded(before);
  json after = before;
  after["turn"] = {{"users", {{"bob", "builder"}}},
                   {"limits", {{"allocations_total", 5}}},
                   {"peers", {{"lan", true}}},
                   {"binding", "allocated"}};
  after["log"] = {{"level", "debug"}};
  after["realms"][0]["users"] = {{"carol", "singer"}};
  Config taken = running;
  app::take_over(taken, loaded(after));
  EXPECT_THAT(app::keys_that_need_a_restart(running, loaded(after)), testing::IsEmpty());
  EXPECT_TRUE(taken.turn.users.contains("bob"));
  EXPECT_EQ(taken.turn.limits.allocations_total, 5u);
  EXPECT_TRUE(taken.turn.peers.lan);
  EXPECT_EQ(taken.turn.binding, BindingAccess::kAllocated);
  EXPECT_EQ(taken.log.level, LogLevel::kDebug);
  EXPECT_TRUE(taken.realms[0].users.contains("carol"));

  after["realm"] = "other.example";
  after["realms"][0]["server_names"] = {"new.example"};
  after["listeners"] = {{{"transport", "tls"}, {"port", 443}}};
  after["turn"]["relay"] = {{"port_min", 50000}};
  after["signaling"] = {{"rooms_max", 5}};
  after["log"]["format"] = "json";
  const Config changed = loaded(after);
  EXPECT_THAT(app::keys_that_need_a_restart(running, changed),
              ElementsAre("realm", "listeners", "realms", "turn.relay", "signaling", "log.format"));
  taken = running;
  app::take_over(taken, changed);
  EXPECT_THAT(app::keys_that_need_a_restart(running, taken), testing::IsEmpty()) << "what is not live stays";
}

TEST(Reload, KnowsOfEveryKeyWhetherItIsLive) {
  const std::set<std::string_view> restart{"realm",
                                           "user",
                                           "state_directory",
                                           "listeners",
                                           "realms",
                                           "realms[].realm",
                                           "realms[].addresses",
                                           "realms[].server_names",
                                           "turn",
                                           "turn.external_addresses",
                                           "turn.public_host",
                                           "turn.relay",
                                           "turn.tcp_relay",
                                           "turn.mobility",
                                           "turn.gather_microseconds",
                                           "turn.workers",
                                           "turn.nat_discovery",
                                           "signaling",
                                           "web",
                                           "log",
                                           "log.format"};
  const auto covers = [](std::string_view named, std::string_view key) {
    if (named == "signaling" && key.starts_with("signaling.tokens")) return false;
    if (named == "realms" || named == "turn" || named == "log") return named == key;  // some of them are live
    return key == named || (key.starts_with(named) && (key[named.size()] == '.' || key[named.size()] == '['));
  };
  for (const std::string& key : known_keys()) {
    const auto names = [&](const auto& all) {
      return std::any_of(all.begin(), all.end(), [&](std::string_view named) { return covers(named, key); });
    };
    EXPECT_NE(names(app::kLiveKeys), names(restart)) << key << ": say in src/app/reload whether it is live";
  }
}
