// SPDX-License-Identifier: Apache-2.0
#include "app/turn_realms.hpp"

#include <memory>

namespace causeway::app {
namespace {

using config::Config;

std::vector<std::string> shared_secrets(const Config& config, const KeptSecrets& kept) {
  return config.turn.shared_secrets.empty() ? std::vector{kept.shared_secret} : config.turn.shared_secrets;
}

turn::RealmLimits limits_of(const config::RealmLimits& limits) {
  return {.allocations_per_user_max = limits.allocations_per_user,
          .allocations_max = limits.allocations_per_realm,
          .allocation_bytes_per_second_max = limits.allocation_bytes_per_second,
          .user_bytes_per_second_max = limits.user_bytes_per_second};
}

}  // namespace

std::vector<turn::RealmOptions> turn_realms(const Config& config, const KeptSecrets& kept,
                                            const std::shared_ptr<const turn::UserGate>& gate) {
  std::vector<turn::RealmOptions> realms{
      {std::make_shared<const turn::Credentials>(config.realm, config.turn.users, shared_secrets(config, kept), gate),
       limits_of(config.turn.limits)}};
  for (const config::Realm& realm : config.realms) {
    realms.push_back({std::make_shared<const turn::Credentials>(realm.realm, realm.users, realm.shared_secrets, gate),
                      limits_of(realm.limits)});
  }
  return realms;
}

std::vector<turn::RealmLimits> realm_limits(const Config& config) {
  std::vector<turn::RealmLimits> limits{limits_of(config.turn.limits)};
  for (const config::Realm& realm : config.realms)
    limits.push_back(limits_of(realm.limits));
  return limits;
}

turn::ServerLimits server_limits(const Config& config) {
  const config::Limits& limits = config.turn.limits;
  return {.allocation_lifetime_max = config.turn.lifetimes.allocation_seconds_max,
          .allocations_total_max = limits.allocations_total,
          .allocations_per_source_max = limits.allocations_per_address,
          .permissions_per_allocation_max = limits.permissions_per_allocation,
          .channels_per_allocation_max = limits.channels_per_allocation,
          .connections_per_allocation_max = limits.connections_per_allocation,
          .connections_per_user_max = limits.connections_per_user,
          .connections_total_max = limits.connections_total,
          .unauthenticated_answers_per_second_max = limits.unauthenticated_answers_per_second,
          .binding_needs_allocation = config.turn.binding == config::BindingAccess::kAllocated};
}

turn::PeerPolicyOptions peer_policy(const Config& config) {
  return {config.turn.peers.allow, config.turn.peers.deny, config.turn.peers.lan};
}

turn::AlternateServer alternate_server(const Config& config) {
  const config::Alternate& alternate = config.turn.alternate;
  return {alternate.addresses, alternate.tls_port, alternate.domain.value_or("")};
}

net::RealmSelector realm_selector(const Config& config) {
  net::RealmSelector selector;
  turn::RealmIndex index = 0;
  for (const config::Realm& realm : config.realms) {
    ++index;
    for (const IpAddress& address : realm.addresses)
      selector.add_address(address, index);
    for (const std::string& name : realm.server_names)
      selector.add_server_name(name, index);
  }
  return selector;
}

std::vector<std::string> member_secrets(const Config& config, const KeptSecrets& kept) {
  std::vector<std::string> secrets{shared_secrets(config, kept).front()};
  for (const config::Realm& realm : config.realms)
    secrets.push_back(realm.shared_secrets.empty() ? std::string{} : realm.shared_secrets.front());
  return secrets;
}

}  // namespace causeway::app
