// SPDX-License-Identifier: Apache-2.0
// Mobility (RFC 8016): a client that has asked for it takes its allocation along to another five-tuple, which a ticket
// and its credentials let it do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "causeway/base/random.hpp"
#include "causeway/stun/sealing.hpp"
#include "causeway/stun/types.hpp"
#include "causeway/turn/five_tuple.hpp"

namespace causeway::turn {

// Where the client of such an allocation is. AllocationTable moves it.
struct Mobility {
  std::uint32_t id = 0;      // of the allocation, as its tickets name it
  std::uint32_t serial = 0;  // of the one ticket that is valid; a move makes the next one
  // The client has refreshed from here and not sent data yet: until then data goes to its former five-tuple, and it is
  // found by both.
  std::optional<ClientRef> next{};
  bool is_away = false;                    // its connection has ended: it is found by its ticket only
  stun::TransactionId move_transaction{};  // of the Refresh that moved it last, for the answer to a retransmission
};

// What a ticket says: valid while the allocation lives and has this serial.
struct Ticket {
  std::uint32_t id = 0;
  std::uint32_t serial = 0;
};

// Makes and reads tickets. Their key dies with the process, as its allocations do.
class TicketSealer {
 public:
  // In base64: coturn's client keeps a ticket as text of at most 32 octets.
  static constexpr std::size_t kTicketBytes = 32;

  explicit TicketSealer(RandomSource& random) { random.fill(key_); }
  explicit TicketSealer(const stun::SealKey& key) : key_(key) {}

  std::string seal(const Ticket& ticket) const;
  // nullopt for what is no ticket of this server.
  std::optional<Ticket> open(Bytes sealed) const;

 private:
  stun::SealKey key_{};
};

}  // namespace causeway::turn
