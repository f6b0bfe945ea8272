// SPDX-License-Identifier: Apache-2.0
#include "config/realm_section.hpp"

#include <algorithm>

#include "config/limits.hpp"
#include "config/text_rules.hpp"

namespace causeway::config {
namespace {

using nlohmann::json;

constexpr std::size_t kRealmsMax = 64;
constexpr std::size_t kAddressesMax = 64;
constexpr std::size_t kServerNamesMax = 64;
constexpr std::uint64_t kBytesPerSecondMax = 100'000'000'000;

bool listens_on(const Listener& listener, const IpAddress& address) {
  const bool any = listener.address.is_unspecified() && (!listener.address.is_v4() || address.is_v4());
  return any || listener.address == address;
}

// What keeps a realm from being the one of some clients and of no others.
void check_realm(ObjectReader& object, const Realm& realm, const Config& config) {
  const auto taken = [&](const auto& has) { return std::any_of(config.realms.begin(), config.realms.end(), has); };
  if (realm.realm == config.realm || taken([&](const Realm& other) { return other.realm == realm.realm; })) {
    object.fail("realm", "must be another one than that of every other realm");  // RFC 8656 §5
  }
  if (realm.addresses.empty() && realm.server_names.empty()) {
    object.reading().fail(object.path(), R"(needs "addresses", "server_names" or both, or no client belongs to it)");
  }
  if (realm.users.empty() && realm.shared_secrets.empty()) {
    object.reading().fail(object.path(), R"(needs "users", "shared_secrets" or both, or nobody can use it)");
  }
  for (const IpAddress& address : realm.addresses) {
    const auto names_it = [&](const std::vector<IpAddress>& all) { return std::ranges::count(all, address); };
    if (taken([&](const Realm& other) { return names_it(other.addresses) != 0; }) || names_it(realm.addresses) > 1) {
      object.fail("addresses",
                  "names " + address.to_string() + ", which stands there already; an address has one realm");
    }
    if (std::ranges::none_of(config.listeners, [&](const Listener& each) { return listens_on(each, address); })) {
      object.fail("addresses", "names " + address.to_string() + ", on which no listener listens");
    }
  }
  for (const std::string& name : realm.server_names) {
    const auto names_it = [&](const std::vector<std::string>& all) { return std::ranges::count(all, name); };
    if (taken([&](const Realm& other) { return names_it(other.server_names) != 0; }) ||
        names_it(realm.server_names) > 1) {
      object.fail("server_names", "names " + in_quotes(name) + ", which stands there already; a name has one realm");
    }
  }
  const bool has_tls =
      std::ranges::any_of(config.listeners, [](const Listener& each) { return needs_certificate(each.transport); });
  if (!realm.server_names.empty() && !has_tls) {
    object.fail("server_names", "needs a tls or dtls listener, because only there a client says the name it wants");
  }
}

}  // namespace

void read_users(ObjectReader& object, std::map<std::string, std::string>& users) {
  const json* value = object.find("users");
  if (value == nullptr) return;
  if (!value->is_object() || value->size() > kUsersMax) {
    return object.fail("users", "must be an object with at most " + std::to_string(kUsersMax) +
                                    R"( names and their passwords, as in {"alice": "her password"})");
  }
  for (const auto& [key, secret] : value->items()) {
    const std::string path = member_path(object.path_of("users"), key);
    const auto name = kUserNameRule.parse(key);
    const auto password = secret.is_string() ? kPasswordRule.parse(secret.get_ref<const std::string&>()) : std::nullopt;
    if (!name) {
      object.reading().fail(path, "is no name for a user: it must be " + std::string{kUserNameRule.expected});
    } else if (!password) {
      object.reading().fail(path, "must be the user's password, " + std::string{kPasswordRule.expected});
    } else if (!users.emplace(*name, *password).second) {
      object.reading().fail(path, "is the name of another user too, once its characters are composed (RFC 8265)");
    }
  }
}

void read_shared_secrets(ObjectReader& object, std::vector<std::string>& secrets) {
  object.list("shared_secrets", secrets, kSecretsMax, kSharedSecretRule);
}

void read_realm_limits(ObjectReader& object, RealmLimits& limits) {
  object.number("allocations_per_user", limits.allocations_per_user, 0, 1'000'000);
  object.number("allocations_per_realm", limits.allocations_per_realm, 0, 1'000'000);
  object.number("allocation_bytes_per_second", limits.allocation_bytes_per_second, 0, kBytesPerSecondMax);
  object.number("user_bytes_per_second", limits.user_bytes_per_second, 0, kBytesPerSecondMax);
}

void read_realms(ObjectReader& root, Config& config) {
  const json* values = root.list_of("realms", kRealmsMax);
  if (values == nullptr) return;
  config.realms.clear();
  for (std::size_t i = 0; i < values->size(); ++i) {
    Realm realm;
    realm.limits = static_cast<const RealmLimits&>(config.turn.limits);
    ObjectReader::read(
        root.reading(), (*values)[i], element_path(root.path_of("realms"), i), [&](ObjectReader& object) {
          object.require("realm");
          object.text("realm", realm.realm, kRealmRule);
          object.list("addresses", realm.addresses, kAddressesMax, kUnicastAddressRule);
          object.list("server_names", realm.server_names, kServerNamesMax, kServerNameRule);
          read_users(object, realm.users);
          read_shared_secrets(object, realm.shared_secrets);
          object.section("limits", [&](ObjectReader& limits) { read_realm_limits(limits, realm.limits); });
          check_realm(object, realm, config);
        });
    config.realms.push_back(std::move(realm));
  }
}

}  // namespace causeway::config
