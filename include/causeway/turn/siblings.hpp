// SPDX-License-Identifier: Apache-2.0
// Several servers that listen on the same addresses in one process (workers), each on a thread of its own. A five-tuple
// always comes to the same one, so they share nothing but the ledgers in which an allocation is entered when it is made
// and struck out when it ends. What a client may bring to another one (a reservation token, a connection id, a ticket)
// says which of them it is of.
//
// The edge provides the ledgers; they may be called on any worker's thread at any time.
#pragma once

#include <cstddef>
#include <optional>

#include "causeway/base/endpoint.hpp"
#include "causeway/stun/sealing.hpp"
#include "causeway/turn/quota.hpp"
#include "causeway/turn/relay.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::turn {

// The relays of all allocations, by the addresses where they are bound and as they are advertised.
class RelayDirectory {
 public:
  virtual ~RelayDirectory() = default;
  virtual void add(WorkerIndex worker, const Relay& relay) = 0;
  // Nothing happens for one that was not added.
  virtual void remove(const Relay& relay) noexcept = 0;
  // Whose UDP relay it is. On the path of relayed data: neither waits nor allocates.
  virtual std::optional<WorkerIndex> worker_of(const Endpoint& relay) const noexcept = 0;
  virtual std::optional<Relay> find_tcp(const Endpoint& relay) const = 0;
};

// A server's place among them.
struct Siblings {
  WorkerIndex index = 0;
  std::size_t count = 1;  // 1–kWorkersMax
  RelayPortPool& ports;
  QuotaLedger& allocations;
  QuotaLedger& connections;
  RelayDirectory& relays;
  stun::SealKey ticket_key{};  // each can tell whose ticket it is
};

}  // namespace causeway::turn
