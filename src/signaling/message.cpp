// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/message.hpp"

namespace causeway::signaling {
namespace {

constexpr std::size_t kEnvelopeBytes = 256;  // the object, ids and names

}  // namespace

Error error_of(ErrorCode code, std::string_view request_id) {
  return {code, std::string(explanation(code)), std::string(request_id), false};
}

std::size_t approximate_bytes(const ServerMessage& message) noexcept {
  std::size_t bytes = kEnvelopeBytes;
  if (const auto* relayed = std::get_if<Relayed>(&message)) {
    for (const RelayedValue& value : relayed->values)
      bytes += value.value.size();
  }
  return bytes;
}

}  // namespace causeway::signaling
