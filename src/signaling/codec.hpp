// SPDX-License-Identifier: Apache-2.0
// JSON texts of the signaling protocol (docs/signaling-protocol.md) to messages and back. Stateless and total: any
// bytes are either a ClientMessage or a BadMessage.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "causeway/base/result.hpp"
#include "causeway/signaling/hub.hpp"
#include "causeway/signaling/message.hpp"

namespace causeway::signaling {

// The message views `text`, which has to outlive it.
Result<ClientMessage, BadMessage> parse_client_message(std::string_view text);

// The text of one server message, without `seq`: an object of at least one member, `type` first.
std::string write_server_message(const ServerMessage& message);

// Texts of deliveries in their order. A message that goes to several receivers in a row is written once.
class DeliveryWriter {
 public:
  // delivery.message is not null.
  std::string write(const Delivery& delivery);

 private:
  std::shared_ptr<const ServerMessage> written_;
  std::string text_;
};

}  // namespace causeway::signaling
