// SPDX-License-Identifier: Apache-2.0
// ConnectionBind (RFC 6062 §5.4): the stream it comes over becomes the client's side of a data connection.
#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

Result<DataConnection*, StunError> Server::check_connection_bind(const Request& request) const {
  const FiveTuple& client = request.packet.client.five_tuple;
  if (!is_stream(client.transport)) return StunError{ErrorCode::kBadRequest};
  // A control connection stays what it is (RFC 8656 §19: a request that requires that there is no allocation).
  if (allocations_.find(client) != nullptr) return StunError{ErrorCode::kAllocationMismatch};
  const auto attribute = request.message.value(AttributeType::kConnectionId);
  const auto id = attribute ? stun::read_u32(*attribute) : std::nullopt;
  if (!id) return StunError{ErrorCode::kBadRequest};
  DataConnection* connection = connections_.find(static_cast<ConnectionId>(*id));
  if (connection == nullptr || connection->state != DataConnection::State::kUnbound) {
    return StunError{ErrorCode::kBadRequest};
  }
  // RFC 6062 §4.3, §4.4: with the same credentials as the control connection.
  if (!is_owner(request, *allocations_.find(connection->relay))) return StunError{ErrorCode::kWrongCredentials};
  return connection;
}

Outcome Server::on_connection_bind(const Request& request, ReplyBuffer& reply) {
  const auto found = check_connection_bind(request);
  if (!found) {
    return Reply{write_error(request.packet, request.message, found.error(), &request.identity, request.now, reply)};
  }
  DataConnection& connection = **found;
  connection.state = DataConnection::State::kBound;
  connections_.set_deadline(connection, std::nullopt);
  stun::MessageBuilder success{reply, stun::Method::kConnectionBind, stun::MessageClass::kSuccessResponse,
                               request.message.transaction_id()};
  return BindStream{connection.id, finish_success(request, success)};
}

}  // namespace causeway::turn
