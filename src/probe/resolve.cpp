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
#include <utility>

#include "net/endpoint_conversion.hpp"
#include "probe/srv.hpp"

namespace causeway::probe {
namespace {

constexpr std::size_t kServersMax = 16;

// RFC 5928 §3 and RFC 8489 §8.1; `turns` over UDP, which is DTLS, is RFC 7350 §4.
std::string service_of(const ProbeUri& uri, ProbeTransport transport) {
  const std::string service = std::string{uri.turn ? "_turn" : "_stun"} + (is_secure(transport) ? "s" : "");
  return service + (is_datagram(transport) ? "._udp." : "._tcp.") + uri.host;
}

// In the order of RFC 5928 §3 where the URI leaves it open: as this command prefers them.
std::vector<ProbeTransport> transports_of(const ProbeUri& uri) {
  if (!uri.transport_is_free) return {uri.transport};
  if (uri.transport == ProbeTransport::kTls) return {ProbeTransport::kTls, ProbeTransport::kDtls};
  return {ProbeTransport::kUdp, ProbeTransport::kTcp};
}

// None where there are none, or nobody answers.
std::vector<SrvTarget> look_up_srv(const std::string& name) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return {};
  state.retrans = 1;  // seconds: somebody waits in front of the terminal
  state.retry = 2;
  std::array<std::uint8_t, 4096> answer{};
  const int size = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(), answer.size());
  ::res_nclose(&state);
  if (size <= 0) return {};
  return parse_srv_answer(Bytes{answer}.first(std::min(static_cast<std::size_t>(size), answer.size())));
}

// 0, or what getaddrinfo returns.
int add_addresses(const std::string& host, std::uint16_t port, std::vector<Endpoint>& to) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;  // one entry for each address
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
  Resolved resolved{{}, {}, uri.transport};
  if (const auto address = IpAddress::parse(uri.host)) {
    resolved.servers.push_back({*address, uri.port_or_default()});
    return resolved;
  }
  // One label alone is a name of the local network, which has no such records.
  if (!uri.port && uri.host.find('.') != std::string::npos) {
    for (const ProbeTransport transport : transports_of(uri)) {
      const std::string service = service_of(uri, transport);
      for (const SrvTarget& target : look_up_srv(service))
        add_addresses(target.host, target.port, resolved.servers);
      if (!resolved.servers.empty()) {
        resolved.how = "by SRV " + service;
        resolved.transport = transport;
        return resolved;
      }
      resolved.how += (resolved.how.empty() ? "no SRV " : ", no SRV ") + service;
    }
    resolved.how += ", so port " + std::to_string(uri.port_or_default());
  }
  const int failed = add_addresses(uri.host, uri.port_or_default(), resolved.servers);
  if (failed != 0 || resolved.servers.empty()) {
    return ProbeError{uri.host + ": " + (failed == 0 ? "no address" : ::gai_strerror(failed)),
                      "The name has no address in DNS as this machine sees it: check spelling, records and resolver"};
  }
  return resolved;
}

}  // namespace causeway::probe
