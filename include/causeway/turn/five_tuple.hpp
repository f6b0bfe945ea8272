// SPDX-License-Identifier: Apache-2.0
// The five-tuple that identifies a client and its allocation (RFC 8656 §3.2), and how the edge finds the client again.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "causeway/base/endpoint.hpp"

namespace causeway::turn {

enum class Transport : std::uint8_t { kUdp, kTcp, kTls, kDtls };
inline constexpr std::size_t kTransports = 4;

constexpr bool is_stream(Transport transport) noexcept {
  return transport == Transport::kTcp || transport == Transport::kTls;
}
constexpr const char* name_of(Transport transport) noexcept {
  switch (transport) {
    case Transport::kUdp:
      return "udp";
    case Transport::kTcp:
      return "tcp";
    case Transport::kTls:
      return "tls";
    case Transport::kDtls:
      return "dtls";
  }
  return "";
}

struct FiveTuple {
  Endpoint client;
  Endpoint server;  // the address the client sent to, never a wildcard
  Transport transport = Transport::kUdp;

  friend constexpr auto operator<=>(const FiveTuple&, const FiveTuple&) noexcept = default;
};

struct FiveTupleHash {
  using is_avalanching = void;
  std::uint64_t seed = 0;
  std::size_t operator()(const FiveTuple& tuple) const noexcept {
    const std::uint64_t client = EndpointHash{seed ^ static_cast<std::uint64_t>(tuple.transport)}(tuple.client);
    return EndpointHash{client}(tuple.server);
  }
};

// Which of the server's realms. The first one is for all clients that no other is meant for.
using RealmIndex = std::uint16_t;

// A client as the edge knows it. `link` is the edge's own handle of the listener or stream session the client came
// through; the core stores it and hands it back.
struct ClientRef {
  FiveTuple five_tuple;
  std::uint64_t link = 0;
  RealmIndex realm = 0;
};

}  // namespace causeway::turn
