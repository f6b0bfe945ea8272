// SPDX-License-Identifier: Apache-2.0
#include "config/turnserver_listeners.hpp"

#include <algorithm>
#include <string_view>

#include "config/limits.hpp"

namespace causeway::config {
namespace {

struct TurnserverPort {
  std::string_view option;
  std::uint32_t number;
  std::size_t line;
};

struct PortService {
  Transport transport;
  bool encrypted_only = false;
};

TurnserverPort turnserver_port(const TurnserverSettings& settings, std::string_view option, std::uint32_t by_default) {
  const auto found = settings.numbers.find(option);
  if (found == settings.numbers.end()) return {option, by_default, 0};
  return {option, found->second.value, found->second.line};
}

// A wildcard covers the other addresses of its family, and "::" covers IPv4 too.
std::vector<Sourced<IpAddress>> addresses_without_covered(const TurnserverSettings& settings) {
  std::vector<Sourced<IpAddress>> addresses = settings.listening;
  if (addresses.empty()) addresses.push_back({*IpAddress::parse("::"), 0, ""});
  for (const std::string_view text : {"::", "0.0.0.0"}) {
    const IpAddress wildcard = *IpAddress::parse(text);
    const auto is_wildcard = [&](const Sourced<IpAddress>& address) { return address.value == wildcard; };
    if (std::none_of(addresses.begin(), addresses.end(), is_wildcard)) continue;
    std::erase_if(addresses, [&](const Sourced<IpAddress>& address) {
      return address.value != wildcard && (!wildcard.is_v4() || address.value.is_v4());
    });
  }
  return addresses;
}

struct Services {
  std::vector<PortService> plain;   // of listening-port
  std::vector<PortService> secure;  // of tls-listening-port
};

Services services_of(const TurnserverSettings& settings, bool one_port) {
  const bool udp = !settings.has("no-udp");
  const bool tcp = !settings.has("no-tcp");
  const bool tls = !settings.has("no-tls") && has_certificate(settings);
  const bool dtls = !settings.has("no-dtls") && !settings.is_off("dtls") && has_certificate(settings);
  Services services;
  if (udp) services.plain.push_back({Transport::kUdp});
  if (dtls && (udp || one_port)) services.plain.push_back({Transport::kDtls});
  if (tls && (tcp || one_port)) {
    services.plain.push_back({Transport::kTls, !tcp});
  } else if (tcp) {
    services.plain.push_back({Transport::kTcp});
  }
  if (one_port) return services;
  if (dtls && udp) services.secure.push_back({Transport::kUdp});
  if (dtls) services.secure.push_back({Transport::kDtls});
  if (tls) services.secure.push_back({Transport::kTls, !tcp});
  return services;
}

}  // namespace

bool has_certificate(const TurnserverSettings& settings) {
  return settings.texts.find("cert") != settings.texts.end() && settings.texts.find("pkey") != settings.texts.end();
}

std::vector<PlannedListener> plan_listeners(const TurnserverSettings& settings, std::vector<ImportNote>& notes) {
  const TurnserverPort plain = turnserver_port(settings, "listening-port", kTurnserverPort);
  const TurnserverPort secure = turnserver_port(settings, "tls-listening-port", kTurnserverTlsPort);
  const Services services = services_of(settings, plain.number == secure.number);
  const std::size_t per_address = services.plain.size() + services.secure.size();
  std::vector<PlannedListener> planned;
  for (const Sourced<IpAddress>& address : addresses_without_covered(settings)) {
    if (planned.size() + per_address > kListenersMax) {
      notes.push_back({address.line, address.option + ": Causeway takes " + std::to_string(kListenersMax) +
                                         " listeners, so this address is LEFT OUT; \"::\" stands for all addresses"});
      continue;
    }
    const auto add = [&](const TurnserverPort& port, const PortService& service) {
      Listener listener{.transport = service.transport,
                        .address = address.value,
                        .port = static_cast<std::uint16_t>(port.number),
                        .encrypted_only = service.encrypted_only};
      planned.push_back({std::move(listener), std::string{port.option}, port.line, address});
    };
    for (const PortService& service : services.plain)
      add(plain, service);
    for (const PortService& service : services.secure)
      add(secure, service);
  }
  return planned;
}

std::vector<Sourced<std::string>> remarks_on_listening(const TurnserverSettings& settings,
                                                       const std::vector<PlannedListener>& planned) {
  std::vector<Sourced<std::string>> remarks;
  for (const std::string_view option : {"listening-port", "tls-listening-port"}) {
    const auto found = settings.numbers.find(option);
    if (found == settings.numbers.end()) continue;
    const auto uses_it = [&](const PlannedListener& each) { return each.port_line == found->second.line; };
    if (std::any_of(planned.begin(), planned.end(), uses_it)) continue;
    remarks.push_back({"no listener of its own", found->second.line, found->second.option});
  }
  for (const Sourced<IpAddress>& address : settings.listening) {
    const auto covers_it = [&](const Sourced<IpAddress>& other) {
      return other.value != address.value && other.value.covers(address.value);
    };
    if (std::any_of(settings.listening.begin(), settings.listening.end(), covers_it)) {
      remarks.push_back({"another line covers this address", address.line, address.option});
    } else if (planned.empty()) {
      remarks.push_back({"no listener is left", address.line, address.option});
    }
  }
  return remarks;
}

}  // namespace causeway::config
