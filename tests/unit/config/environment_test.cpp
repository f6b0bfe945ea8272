// SPDX-License-Identifier: Apache-2.0
#include "config/environment.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "config/load.hpp"
#include "config_or_throw.hpp"
#include "temporary_folder.hpp"

using namespace causeway;
using namespace causeway::config;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

Result<Config, Findings> read(Environment environment, std::string_view text = "{}") {
  environment.emplace("HOME", "/home/alice");
  return load_text(text, "causeway.json", environment);
}

std::string only_error(const Environment& environment, std::string_view text = "{}") {
  const auto config = read(environment, text);
  EXPECT_TRUE(!config && config.error().size() == 1);
  return config ? "" : config.error().front().to_string();
}

}  // namespace

TEST(EnvironmentVariables, SetEveryKindOfKey) {
  const Config config = read({{"CAUSEWAY_REALM", "example.org"},
                              {"CAUSEWAY_TURN__RELAY__PORT_MIN", "50000"},
                              {"CAUSEWAY_TURN__PEERS__LAN", "true"},
                              {"CAUSEWAY_TURN__USERS", R"({"alice": "x"})"},
                              {"CAUSEWAY_TURN__PUBLIC_HOST", "turn.example.org"},
                              {"CAUSEWAY_LISTENERS", R"([{"transport": "udp", "port": 9}])"},
                              {"CAUSEWAY_LOG", R"({"level": "debug"})"},
                              {"CAUSEWAY_LOG__FORMAT", "json"},
                              {"PATH", "not ours"}},
                             R"({"turn": {"relay": {"port_min": 1024, "port_max": 60000}}})")
                            .value();
  EXPECT_EQ(config.realm, "example.org");
  EXPECT_EQ(config.turn.relay.port_min, 50000);
  EXPECT_EQ(config.turn.relay.port_max, 60000);
  EXPECT_TRUE(config.turn.peers.lan);
  EXPECT_EQ(config.turn.users.at("alice"), "x");
  EXPECT_EQ(config.turn.public_host, "turn.example.org");
  EXPECT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
}

TEST(EnvironmentVariables, UnknownNamesAreErrorsWithTheNearest) {
  EXPECT_EQ(
      only_error({{"CAUSEWAY_TURN__RELAY__PORT_MNI", "1"}}),
      "environment variable CAUSEWAY_TURN__RELAY__PORT_MNI: this names no key of the configuration; the nearest is "
      "CAUSEWAY_TURN__RELAY__PORT_MIN.");
  EXPECT_THAT(only_error({{"CAUSEWAY_realm", "x"}}), HasSubstr("the nearest is CAUSEWAY_REALM."));
  EXPECT_THAT(only_error({{"CAUSEWAY_TURN__STAFF", "2"}}), HasSubstr("names no key"));
  EXPECT_THAT(only_error({{"CAUSEWAY_", "x"}}), HasSubstr("names no key"));
  EXPECT_THAT(only_error({{"CAUSEWAY_LISTENERS[]__PORT", "1"}}), HasSubstr("names no key"));
  // Names of users have capital letters, those of variables do not.
  EXPECT_THAT(only_error({{"CAUSEWAY_TURN__USERS__ALICE", "x"}}), HasSubstr("the nearest is CAUSEWAY_TURN__USERS."));
}

TEST(EnvironmentVariables, AreNamedInErrors) {
  EXPECT_EQ(only_error({{"CAUSEWAY_TURN__PEERS__LAN", "yes"}}),
            "environment variable CAUSEWAY_TURN__PEERS__LAN: turn.peers.lan must be true or false, but is \"yes\".");
  EXPECT_THAT(only_error({{"CAUSEWAY_LISTENERS", R"([{"transport": "udp", "port": 9)"}}),
              AllOf(HasSubstr("CAUSEWAY_LISTENERS"), HasSubstr("not valid JSON")));
  // A mistake in the file is not hidden by a variable below it.
  EXPECT_THAT(only_error({{"CAUSEWAY_TURN__PEERS__LAN", "true"}}, R"({"turn": 7})"),
              HasSubstr("turn must be an object in braces"));
}

TEST(StateDirectoryDefault, IsSystemdsThenXdgsThenHomes) {
  EXPECT_EQ(default_state_directory({{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}, {"HOME", "/h"}}), "/var/lib/a");
  EXPECT_EQ(default_state_directory({{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}), "/x/causeway");
  EXPECT_EQ(default_state_directory({{"XDG_STATE_HOME", "relative"}, {"HOME", "/h"}}), "/h/.local/state/causeway");
  EXPECT_EQ(default_state_directory({}), std::nullopt);
  EXPECT_EQ(read({{"STATE_DIRECTORY", "/a"}}, R"({"state_directory": "/b"})").value().state_directory, "/b");
  const auto homeless = load(std::nullopt, {});
  ASSERT_FALSE(homeless);
  EXPECT_THAT(homeless.error().front().to_string(), HasSubstr("state_directory has no default here"));
}

TEST(DefaultFile, IsThatOfTheConfigurationDirectory) {
  const TemporaryFolder folder;
  const Environment environment{{"CONFIGURATION_DIRECTORY", folder.path()}};
  EXPECT_EQ(default_file(environment), std::nullopt);
  std::ofstream{folder.path() / "causeway.json"} << "{}";
  EXPECT_EQ(default_file(environment), folder.path() / "causeway.json");
}
