// SPDX-License-Identifier: Apache-2.0
// What comes out of the TURN core for one packet that went in. Spans point into the packet's own buffer or into the
// reply buffer and are valid until either is used again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "causeway/base/bytes.hpp"
#include "causeway/base/traffic_class.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/relay_ports.hpp"
#include "causeway/turn/tcp_relay.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::turn {

// Why a packet gets no answer. Each value indexes a counter.
enum class DropReason : std::uint8_t {
  kNeitherStunNorChannelData,
  kMalformedStun,
  kBadFingerprint,
  kUnknownMethod,
  kResponse,           // nobody asked for one
  kBindingIndication,  // a keep-alive of a client: no answer is due (RFC 8489 §6.3.2)
  kUnexpectedIndication,
  kMalformedIndication,
  kUnknownAttributeInIndication,
  kNoAllocation,
  kMalformedChannelData,
  kUnknownChannel,
  kNoPermission,
  kOwnAddressNotRelayed,  // the peer is an address of this server, but no live relayed transport address
  kUnknownRelay,          // a peer's packet for a relay that is closed
  kTooLargeForIndication,
  kAllocationBandwidth,  // it has had its octets for now
  kUserBandwidth,        // all allocations of the user together have
  kClientAway,           // the client's connection has ended, and it has not come back yet (RFC 8016)
  kAnswerBudget,         // this stranger has had its answers for now
  kSendOverTcpRelay,     // a Send indication for an allocation whose peers have connections
  kUnknownConnection,    // what the edge reports of one that has ended meanwhile
  kConnectionLimit,      // a peer's connection beyond those of the allocation, the user or the server
  kIcmpType,             // of no ICMP error that clients are told of
  kIcmpBudget,           // the client has been told of enough ICMP errors for now
  kBindingOfStranger,    // without an allocation, where only members are answered
};
inline constexpr std::size_t kDropReasons = 26;

struct Drop {
  DropReason reason;
};
struct Reply {  // to the client the packet came from
  Bytes bytes;
};
struct ReplyFrom {  // over UDP, from another transport address of the server, to the client or another port of it
  Endpoint server;
  Endpoint client;
  Bytes bytes;
};
struct ToPeer {  // out of the relay's socket
  RelayId relay;
  Endpoint peer;
  Bytes payload;
  TrafficClass traffic_class{};
  bool dont_fragment = false;  // the datagram alone, not those after it
};
struct ToClient {  // a peer's data, framed for this client, or a late answer; the edge pads it on a stream
  ClientRef client;
  Bytes bytes;
  TrafficClass traffic_class{};  // of a datagram; a stream has its own
};
// The rest belongs to TCP relays (RFC 6062).
struct Connect {  // from `local` to `remote`, and report to Server::on_connect_result() in any case
  ConnectionId connection;
  Endpoint local;
  Endpoint remote;
};
struct AnnounceConnection {  // keep the peer's connection, and tell the client of it
  ConnectionId connection;
  ClientRef client;
  Bytes bytes;
};
struct BindStream {  // answer; what the client sends behind its request is data to the peer, and the other way round
  ConnectionId connection;
  Bytes bytes;
};
// The rest is among siblings.
struct HandOver {  // the packet that came in is for this one; so is the stream it came by, with all that follows
  WorkerIndex worker;
  Bytes packet;
  TrafficClass traffic_class{};
};
struct ToSibling {  // to its on_sibling_packet()
  WorkerIndex worker;
  Endpoint from;
  Endpoint to;
  Bytes payload;
  TrafficClass traffic_class{};
};
using Outcome = std::variant<Drop, Reply, ReplyFrom, ToPeer, ToClient, Connect, AnnounceConnection, BindStream,
                             HandOver, ToSibling>;

// Large enough for every reply: the longest REALM and NONCE, addresses, integrity and fingerprint, or four addresses
// and NatDiscovery::kPaddingBytesMax.
using ReplyBuffer = std::array<std::uint8_t, 2048>;

}  // namespace causeway::turn
