// SPDX-License-Identifier: Apache-2.0
// What one worker's TURN hands to another's: a short note and, with some, a packet.
#pragma once

#include <type_traits>
#include <variant>

#include "causeway/base/traffic_class.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::net {

struct ClientPacketMail {  // with a packet of a client whose allocation the receiver has
  turn::WorkerIndex from;
  turn::ClientRef client;
  TrafficClass traffic_class{};
};
struct RelayedMail {  // with data from one relayed address to another
  Endpoint from;
  Endpoint to;
  TrafficClass traffic_class{};
};
struct DtlsMail {  // with a message for a client whose DTLS session the receiver has
  turn::ClientRef client;
};
struct ClientGivenBackMail {  // it has no allocation at the sender
  turn::FiveTuple client;
};
struct ClientGoneMail {  // its DTLS session has ended
  turn::FiveTuple client;
};
using WorkerMail = std::variant<ClientPacketMail, RelayedMail, DtlsMail, ClientGivenBackMail, ClientGoneMail>;
static_assert(std::is_trivially_copyable_v<WorkerMail>);

}  // namespace causeway::net
