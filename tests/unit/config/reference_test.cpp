// SPDX-License-Identifier: Apache-2.0
// The loader, config/causeway.json, config/causeway.schema.json and docs/configuration.md know the same keys.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "config/load.hpp"
#include "config_or_throw.hpp"

using namespace causeway::config;
using nlohmann::json;

namespace {

std::string content(const std::string& file) {
  std::ifstream stream{std::string{SOURCE_DIR} + "/" + file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

const std::set<std::string> kMaps{"turn.users", "realms[].users"};  // whose keys are the operator's

void collect(const json& value, const std::string& path, std::set<std::string>& keys) {
  if (!path.empty() && !path.ends_with("[]")) keys.insert(path);
  if (value.is_array()) {
    for (const json& element : value) {
      if (element.is_object()) collect(element, path + "[]", keys);
    }
  }
  if (!value.is_object() || kMaps.contains(path)) return;
  for (const auto& [key, member] : value.items())
    collect(member, member_path(path, key), keys);
}

void collect_schema(const json& schema, const std::string& path, std::set<std::string>& keys) {
  if (!path.empty() && !path.ends_with("[]")) keys.insert(path);
  if (schema.contains("items")) collect_schema(schema["items"], path + "[]", keys);
  if (!schema.contains("properties")) return;
  EXPECT_EQ(schema["additionalProperties"], false) << path;
  for (const auto& [key, member] : schema["properties"].items()) {
    EXPECT_TRUE(member.contains("description")) << path << "." << key;
    collect_schema(member, member_path(path, key), keys);
  }
}

}  // namespace

TEST(Reference, HasEveryKey) {
  std::set<std::string> keys;
  const std::string text = content("config/causeway.json");
  collect(json::parse(text, nullptr, true, true), "", keys);
  // There are no realms and no keys of tokens by default: a comment shows what one looks like.
  for (const std::string& key : known_keys()) {
    if (!key.starts_with("realms[].") && !key.starts_with("signaling.tokens.keys[].")) continue;
    EXPECT_THAT(text, testing::HasSubstr("\"" + key.substr(key.rfind('.') + 1) + "\":"));
    keys.insert(key);
  }
  EXPECT_EQ(keys, known_keys());
}

TEST(Reference, SchemaHasEveryKey) {
  std::set<std::string> keys;
  collect_schema(json::parse(content("config/causeway.schema.json")), "", keys);
  std::erase_if(keys, [](const std::string& key) { return key.ends_with("[]"); });
  EXPECT_EQ(keys, known_keys());
}

TEST(Reference, DocumentExplainsEveryKey) {
  const std::string text = content("docs/configuration.md");
  for (const std::string& key : known_keys())
    EXPECT_THAT(text, testing::HasSubstr("`" + key + "`"));
}

TEST(Reference, HasTheDefaultsButForFolderAndListeners) {
  const Environment environment{{"HOME", "/h"}};
  const Config defaults = load(std::nullopt, environment).value();
  const auto loaded = load(std::string{SOURCE_DIR} + "/config/causeway.json", environment);
  ASSERT_TRUE(loaded) << loaded.error().front().to_string();
  const Config& reference = *loaded;
  EXPECT_EQ(reference.state_directory, "/var/lib/causeway");
  EXPECT_EQ(reference.listeners.size(), 5u);
  EXPECT_EQ(reference.realm, defaults.realm);
  EXPECT_EQ(reference.turn.relay.addresses, defaults.turn.relay.addresses);
  EXPECT_EQ(reference.turn.relay.port_min, defaults.turn.relay.port_min);
  EXPECT_EQ(reference.turn.relay.port_max, defaults.turn.relay.port_max);
  EXPECT_EQ(reference.turn.limits.allocations_per_user, defaults.turn.limits.allocations_per_user);
  EXPECT_EQ(reference.turn.limits.allocations_total, defaults.turn.limits.allocations_total);
  EXPECT_EQ(reference.turn.limits.permissions_per_allocation, defaults.turn.limits.permissions_per_allocation);
  EXPECT_EQ(reference.turn.limits.channels_per_allocation, defaults.turn.limits.channels_per_allocation);
  EXPECT_EQ(reference.turn.limits.connections_per_allocation, defaults.turn.limits.connections_per_allocation);
  EXPECT_EQ(reference.turn.limits.connections_per_user, defaults.turn.limits.connections_per_user);
  EXPECT_EQ(reference.turn.limits.connections_total, defaults.turn.limits.connections_total);
  EXPECT_EQ(reference.turn.workers, defaults.turn.workers);
  EXPECT_EQ(reference.turn.tcp_relay, defaults.turn.tcp_relay);
  EXPECT_EQ(reference.turn.lifetimes.allocation_seconds_max, defaults.turn.lifetimes.allocation_seconds_max);
  EXPECT_EQ(reference.limits, defaults.limits);
  EXPECT_EQ(reference.signaling, defaults.signaling);
  EXPECT_EQ(reference.log.level, defaults.log.level);
  EXPECT_EQ(reference.log.format, defaults.log.format);
}
