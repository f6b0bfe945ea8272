// SPDX-License-Identifier: Apache-2.0
#include "app/reload.hpp"

#include <algorithm>

namespace causeway::app {
namespace {

using config::Config;
using config::Realm;

bool has_same_realms(const Config& a, const Config& b) {
  return std::equal(
      a.realms.begin(), a.realms.end(), b.realms.begin(), b.realms.end(), [](const Realm& one, const Realm& other) {
        return one.realm == other.realm && one.addresses == other.addresses && one.server_names == other.server_names;
      });
}

}  // namespace

std::vector<std::string_view> keys_that_need_a_restart(const Config& running, const Config& read) {
  std::vector<std::string_view> keys;
  const auto name = [&](bool differs, std::string_view key) {
    if (differs) keys.push_back(key);
  };
  name(running.realm != read.realm, "realm");
  name(running.user != read.user, "user");
  name(running.state_directory != read.state_directory, "state_directory");
  name(running.listeners != read.listeners, "listeners");
  name(!has_same_realms(running, read), "realms");
  name(running.turn.external_addresses != read.turn.external_addresses, "turn.external_addresses");
  name(running.turn.public_host != read.turn.public_host, "turn.public_host");
  name(running.turn.relay != read.turn.relay, "turn.relay");
  name(running.turn.mobility != read.turn.mobility, "turn.mobility");
  name(running.turn.gather_microseconds != read.turn.gather_microseconds, "turn.gather_microseconds");
  name(running.turn.tcp_relay != read.turn.tcp_relay, "turn.tcp_relay");
  name(running.turn.workers != read.turn.workers, "turn.workers");
  name(running.turn.nat_discovery != read.turn.nat_discovery, "turn.nat_discovery");
  config::Signaling signaling = running.signaling;
  signaling.tokens = read.signaling.tokens;
  name(signaling != read.signaling, "signaling");
  name(running.web != read.web, "web");
  name(running.log.format != read.log.format, "log.format");
  return keys;
}

void take_over(Config& running, const Config& read) {
  running.tls = read.tls;
  running.limits = read.limits;
  running.turn.users = read.turn.users;
  running.turn.shared_secrets = read.turn.shared_secrets;
  running.turn.peers = read.turn.peers;
  running.turn.binding = read.turn.binding;
  running.turn.limits = read.turn.limits;
  running.turn.lifetimes = read.turn.lifetimes;
  running.turn.alternate = read.turn.alternate;
  running.signaling.tokens = read.signaling.tokens;
  running.log.level = read.log.level;
  // What is in the realms of the same name; new ones have to wait, and old ones stay as they are.
  for (Realm& realm : running.realms) {
    const auto same = std::find_if(read.realms.begin(), read.realms.end(),
                                   [&](const Realm& other) { return other.realm == realm.realm; });
    if (same == read.realms.end()) continue;
    realm.users = same->users;
    realm.shared_secrets = same->shared_secrets;
    realm.limits = same->limits;
  }
}

}  // namespace causeway::app
