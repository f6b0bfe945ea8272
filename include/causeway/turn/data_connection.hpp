// SPDX-License-Identifier: Apache-2.0
// One connection between a TCP relay and a peer (RFC 6062 §5.2–§5.5):
//
//   Connect ──► kConnecting ── established ──► kUnbound ── ConnectionBind ──► kBound ──► one side ends it
//                    │                            ▲  │
//                    ▼ fails, or 30 s: 447        │  ▼ 30 s: closed
//                                          a peer connects
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/stun/types.hpp"
#include "causeway/turn/authenticator.hpp"
#include "causeway/turn/quota.hpp"
#include "causeway/turn/tcp_relay.hpp"

namespace causeway::turn {

// ConnectionTable owns it. It never outlives its relay.
struct DataConnection : Timer {
  // RFC 6062 §5.2: 30 s at least for the peer to answer. §5.2, §5.3: 30 s for the client to come for it.
  static constexpr std::chrono::seconds kConnectTimeout{30};
  static constexpr std::chrono::seconds kBindDeadline{30};

  enum class State : std::uint8_t { kConnecting, kUnbound, kBound };

  // What the answer to the Connect needs.
  struct PendingConnect {
    stun::TransactionId transaction_id;
    Identity identity;
    bool has_fingerprint;
  };

  ConnectionId id{};
  RelayId relay;
  Endpoint peer;  // as the client knows it
  State state = State::kConnecting;
  std::optional<PendingConnect> connect;  // while kConnecting
  Quota::Hold quota;
};

}  // namespace causeway::turn
