// SPDX-License-Identifier: Apache-2.0
#include "probe/resolve.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "net/endpoint_conversion.hpp"

namespace causeway::probe {
namespace {

constexpr int kServersMax = 16;

struct Target {
  std::uint16_t priority;
  std::uint16_t weight;
  std::uint16_t port;
  std::string host;
};

std::string service_of(const ProbeUri& uri) {
  const bool secure = uri.transport == ProbeTransport::kTls;
  const std::string service = std::string{uri.turn ? "_turn" : "_stun"} + (secure ? "s" : "");
  return service + (uri.transport == ProbeTransport::kUdp ? "._udp." : "._tcp.") + uri.host;
}

// SRV records of `name` (RFC 2782); none where there are none or nobody answers.
std::vector<Target> look_up_srv(const std::string& name) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return {};
  state.retrans = 1;  // seconds: somebody waits in front of the terminal
  state.retry = 2;
  std::array<unsigned char, 4096> answer{};
  const int size = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(), answer.size());
  ::res_nclose(&state);
  ns_msg message{};
  if (size <= 0 || ::ns_initparse(answer.data(), std::min(size, static_cast<int>(answer.size())), &message) != 0)
    return {};
  std::vector<Target> targets;
  for (int i = 0; i < std::min<int>(ns_msg_count(message, ns_s_an), kServersMax); ++i) {
    ns_rr record{};
    std::array<char, NS_MAXDNAME> host{};
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_srv) continue;
    const unsigned char* value = ns_rr_rdata(record);
    if (ns_rr_rdlen(record) < 7) continue;
    if (::dn_expand(ns_msg_base(message), ns_msg_end(message), value + 6, host.data(), host.size()) < 0) continue;
    targets.push_back({load_be16(value), load_be16(value + 2), load_be16(value + 4), host.data()});
  }
  // The heavier first within a priority: a probe need not spread load, and looks the same each time.
  std::sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) {
    return std::tuple{a.priority, b.weight} < std::tuple{b.priority, a.weight};
  });
  return targets;
}

// 0, or what getaddrinfo returns.
int add_addresses(const std::string& host, std::uint16_t port, int type, std::vector<Endpoint>& to) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failed != 0) return failed;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, ::freeaddrinfo};
  for (const addrinfo* entry = list; entry != nullptr && to.size() < kServersMax; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof storage));
    const auto address = net::from_sockaddr(storage);
    if (address) to.push_back({address->address, port});
  }
  return 0;
}

}  // namespace

Result<Resolved, ProbeError> resolve(const ProbeUri& uri) {
  Resolved resolved;
  if (const auto address = IpAddress::parse(uri.host)) {
    resolved.servers.push_back({*address, uri.port_or_default()});
    return resolved;
  }
  const int type = uri.transport == ProbeTransport::kUdp ? SOCK_DGRAM : SOCK_STREAM;
  // One label alone is a name of the local network, which has no such records.
  if (!uri.port && uri.host.find('.') != std::string::npos) {
    const std::string service = service_of(uri);
    for (const Target& target : look_up_srv(service))
      add_addresses(target.host, target.port, type, resolved.servers);
    if (!resolved.servers.empty()) {
      resolved.how = "by SRV " + service;
      return resolved;
    }
    resolved.how = "no SRV " + service + ", so port " + std::to_string(uri.port_or_default());
  }
  const int failed = add_addresses(uri.host, uri.port_or_default(), type, resolved.servers);
  if (failed != 0 || resolved.servers.empty()) {
    return ProbeError{uri.host + ": " + (failed == 0 ? "no address" : ::gai_strerror(failed)),
                      "The name has no address in DNS as this machine sees it: check spelling, records and resolver"};
  }
  return resolved;
}

}  // namespace causeway::probe
