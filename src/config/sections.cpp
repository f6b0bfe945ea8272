// SPDX-License-Identifier: Apache-2.0
#include "config/sections.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "config/limits.hpp"
#include "config/realm_section.hpp"
#include "config/signaling_section.hpp"
#include "config/text_rules.hpp"

namespace causeway::config {
namespace {

using nlohmann::json;

constexpr std::size_t kProxiesMax = 64;

void read_services(ObjectReader& object, Listener& listener) {
  listener.turn = true;
  listener.http = is_stream(listener.transport);
  const json* services = object.list_of("services", 2);
  if (services == nullptr) return;
  listener.turn = listener.http = false;
  for (const json& service : *services) {
    if (service == "turn") {
      listener.turn = true;
    } else if (service == "http") {
      listener.http = true;
    } else {
      object.fail("services", R"(may name "turn" and "http", but names )" +
                                  (service.is_string() ? in_quotes(service.get_ref<const std::string&>())
                                                       : std::string{type_of(service)}));
      return;
    }
  }
  if (services->empty()) object.fail("services", R"(must name "turn", "http" or both)");
  if (listener.http && !is_stream(listener.transport)) {
    object.fail("services",
                R"(must not name "http", because HTTP does not run over )" + std::string{name_of(listener.transport)});
  }
}

Listener read_listener(ObjectReader& object) {
  Listener listener;
  listener.address = IpAddress{std::array<std::uint8_t, 16>{}};
  object.require("transport");
  object.choice<Transport>(
      "transport", listener.transport,
      {{"udp", Transport::kUdp}, {"tcp", Transport::kTcp}, {"tls", Transport::kTls}, {"dtls", Transport::kDtls}});
  object.text("address", listener.address, kAddressRule);
  object.require("port");
  object.number("port", listener.port, 1, 65535);
  read_services(object, listener);
  object.list("proxy_protocol", listener.proxy_protocol, kProxiesMax, kPrefixRule);
  if (!listener.proxy_protocol.empty() && !is_stream(listener.transport)) {
    object.fail("proxy_protocol", "must be empty, because the PROXY protocol does not run over " +
                                      std::string{name_of(listener.transport)} + " here");
  }
  object.flag("encrypted_only", listener.encrypted_only);
  if (listener.encrypted_only && listener.transport != Transport::kTls) {
    object.fail("encrypted_only", "is for tls listeners; tcp and udp are never encrypted, and dtls always is");
  }
  return listener;
}

// Whether the system would refuse to open both. udp and dtls share a socket where they want the very same.
bool overlap(const Listener& a, const Listener& b) {
  const bool same_protocol = is_stream(a.transport) == is_stream(b.transport);
  if (!is_stream(a.transport) && a.transport != b.transport && a.endpoint() == b.endpoint()) return false;
  return a.port != 0 && a.port == b.port && same_protocol &&
         (a.address.covers(b.address) || b.address.covers(a.address));
}

void read_listeners(ObjectReader& root, std::vector<Listener>& listeners) {
  const json* values = root.list_of("listeners", kListenersMax);
  if (values == nullptr) return;
  if (values->empty()) return root.fail("listeners", "must name one listener at least");
  listeners.clear();
  for (std::size_t i = 0; i < values->size(); ++i) {
    const std::string path = element_path(root.path_of("listeners"), i);
    Listener listener;
    ObjectReader::read(root.reading(), (*values)[i], path, [&](ObjectReader& object) {
      listener = read_listener(object);
      const auto twin =
          std::ranges::find_if(listeners, [&](const Listener& other) { return overlap(listener, other); });
      if (twin != listeners.end()) {
        const auto index = static_cast<std::size_t>(twin - listeners.begin());
        root.reading().fail(path, "takes the same port as " + element_path("listeners", index) +
                                      ": tcp and tls are one protocol to the system, udp and dtls share a port "
                                      "only on the same address, and \"::\" covers every address");
      }
    });
    listeners.push_back(listener);
  }
}

void read_tls(ObjectReader& object, Tls& tls) {
  object.file("certificate", tls.certificate);
  object.file("private_key", tls.private_key);
  if (tls.certificate.has_value() != tls.private_key.has_value()) {
    object.reading().fail("tls", R"(needs both "certificate" and "private_key", or neither)");
  }
}

void read_relay(ObjectReader& object, Relay& relay) {
  object.list("addresses", relay.addresses, 16, kAddressRule);
  for (auto at = relay.addresses.begin(); at != relay.addresses.end(); ++at) {
    if (std::find(relay.addresses.begin(), at, *at) != at) {
      object.fail("addresses", "names " + at->to_string() + " twice");
    }
  }
  if (const json* values = object.find("addresses"); values != nullptr && *values == json::array())
    object.fail("addresses", "must name one IP address at least");
  object.number("port_min", relay.port_min, 1024, 65535);
  object.number("port_max", relay.port_max, 1024, 65535);
  if (relay.port_min > relay.port_max) {
    object.fail("port_min", "must not be above port_max, but is " + std::to_string(relay.port_min) +
                                " where port_max is " + std::to_string(relay.port_max));
  }
}

void read_external_addresses(ObjectReader& turn, std::vector<ExternalAddress>& addresses) {
  turn.list("external_addresses", addresses, kExternalAddressesMax, kExternalAddressRule);
  for (auto at = addresses.begin(); at != addresses.end(); ++at) {
    for (auto before = addresses.begin(); before != at; ++before) {
      if (const auto common = common_to(*before, *at)) {
        turn.fail("external_addresses", "names " + before->host + " and " + at->host + " for " + *common);
      }
    }
  }
}

// Why these are not the addresses of a NAT discovery; nullptr where they are.
const char* problem_with_pairs(const std::vector<IpAddress>& addresses) {
  const auto v4 = std::ranges::count_if(addresses, [](const IpAddress& address) { return address.is_v4(); });
  const auto v6 = std::ssize(addresses) - v4;
  const bool in_pairs = (v4 == 0 || v4 == 2) && (v6 == 0 || v6 == 2);
  if (!in_pairs) return "must name two addresses of a family, or two of each";
  const std::set<IpAddress> distinct{addresses.begin(), addresses.end()};
  return distinct.size() == addresses.size() ? nullptr : "names one address twice";
}

void read_nat_discovery(ObjectReader& object, NatDiscovery& out) {
  object.list("addresses", out.addresses, 4, kUnicastAddressRule);
  object.list("external_addresses", out.external_addresses, 4, kUnicastAddressRule);
  object.number("port", out.port, 1, 65535);
  object.number("alternate_port", out.alternate_port, 1, 65535);
  if (const char* problem = problem_with_pairs(out.addresses)) object.fail("addresses", problem);
  if (out.port == out.alternate_port) object.fail("alternate_port", "must be another port than port");
  const auto same_family = [](const IpAddress& a, const IpAddress& b) { return a.family() == b.family(); };
  if (!out.external_addresses.empty() && !std::ranges::equal(out.external_addresses, out.addresses, same_family)) {
    object.fail("external_addresses", "must name one address of the same family for each of addresses, or none");
  }
}

void read_alternate(ObjectReader& object, Alternate& alternate) {
  object.list("addresses", alternate.addresses, 2, kEndpointRule);
  if (alternate.addresses.size() == 2 &&
      alternate.addresses[0].address.family() == alternate.addresses[1].address.family()) {
    object.fail("addresses", "may name one IPv4 and one IPv6 address, not two of one family");
  }
  object.number("tls_port", alternate.tls_port, 0, 65535);
  object.text("domain", alternate.domain, kServerNameRule);
}

void read_turn(ObjectReader& turn, Turn& out) {
  read_users(turn, out.users);
  read_shared_secrets(turn, out.shared_secrets);
  read_external_addresses(turn, out.external_addresses);
  turn.text("public_host", out.public_host, kHostRule);
  turn.section("relay", [&](ObjectReader& object) { read_relay(object, out.relay); });
  turn.flag("tcp_relay", out.tcp_relay);
  turn.choice<BindingAccess>("binding", out.binding,
                             {{"open", BindingAccess::kOpen}, {"allocated", BindingAccess::kAllocated}});
  turn.section("peers", [&](ObjectReader& object) {
    object.list("allow", out.peers.allow, kPrefixesMax, kPrefixRule);
    object.list("deny", out.peers.deny, kPrefixesMax, kPrefixRule);
    object.flag("lan", out.peers.lan);
  });
  turn.section("limits", [&](ObjectReader& object) {
    read_realm_limits(object, out.limits);
    object.number("allocations_per_address", out.limits.allocations_per_address, 0, 1'000'000);
    object.number("allocations_total", out.limits.allocations_total, 0, 1'000'000);
    object.number("permissions_per_allocation", out.limits.permissions_per_allocation, 1, 10'000);
    object.number("channels_per_allocation", out.limits.channels_per_allocation, 1, 10'000);
    object.number("connections_per_allocation", out.limits.connections_per_allocation, 1, 1000);
    object.number("connections_per_user", out.limits.connections_per_user, 0, 1'000'000);
    object.number("connections_total", out.limits.connections_total, 1, 1'000'000);
    object.number("unauthenticated_answers_per_second", out.limits.unauthenticated_answers_per_second, 0, 1'000'000);
  });
  turn.section("alternate", [&](ObjectReader& object) { read_alternate(object, out.alternate); });
  turn.section("lifetimes", [&](ObjectReader& object) {
    object.seconds("allocation_seconds_max", out.lifetimes.allocation_seconds_max, 600, 86'400);
  });
  turn.flag("mobility", out.mobility);
  turn.microseconds("gather_microseconds", out.gather_microseconds, 0, 1000);
  if (const json* workers = turn.find("workers"); workers != nullptr && *workers == "auto") {
    out.workers = 0;
  } else if (workers != nullptr && !(workers->is_number_unsigned() && *workers >= 1 && *workers <= 64)) {
    turn.fail("workers", "must be a whole number from 1 to 64, or \"auto\"");
  } else {
    turn.number("workers", out.workers, 1, 64);
  }
  if (const json* value = turn.find("nat_discovery"); value == nullptr || !value->is_null()) {
    turn.section("nat_discovery", [&](ObjectReader& object) { read_nat_discovery(object, out.nat_discovery); });
  }
}

}  // namespace

void read_config(ObjectReader& root, Config& config) {
  root.text("realm", config.realm, kRealmRule);
  root.text("user", config.user, kSystemUserRule);
  std::optional<std::filesystem::path> state_directory;
  root.file("state_directory", state_directory);
  if (state_directory) config.state_directory = *state_directory;
  read_listeners(root, config.listeners);
  root.section("tls", [&](ObjectReader& object) { read_tls(object, config.tls); });
  root.section("limits", [&](ObjectReader& object) {
    object.number("unauthenticated_connections_per_address", config.limits.unauthenticated_connections_per_address, 0,
                  1'000'000);
  });
  root.section("turn", [&](ObjectReader& object) { read_turn(object, config.turn); });
  read_realms(root, config);
  root.section("signaling", [&](ObjectReader& object) { read_signaling(object, config.signaling); });
  root.section("web", [&](ObjectReader& object) {
    object.file("root", config.web.root);
    object.list("trusted_proxies", config.web.trusted_proxies, kProxiesMax, kPrefixRule);
    object.choice<ForwardedHeader>(
        "forwarded_header", config.web.forwarded_header,
        {{"X-Forwarded-For", ForwardedHeader::kXForwardedFor}, {"Forwarded", ForwardedHeader::kForwarded}});
  });
  root.section("log", [&](ObjectReader& object) {
    object.choice<LogLevel>("level", config.log.level,
                            {{"debug", LogLevel::kDebug},
                             {"info", LogLevel::kInfo},
                             {"warning", LogLevel::kWarning},
                             {"error", LogLevel::kError}});
    object.choice<LogFormat>("format", config.log.format, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}});
  });
}

}  // namespace causeway::config
