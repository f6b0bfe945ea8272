// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/nonce.hpp"

#include <algorithm>

#include "causeway/base/base64.hpp"

namespace causeway::turn {

std::string NonceSource::make(std::string_view realm, const FiveTuple& client, WallTime now) const {
  const auto expiry = static_cast<std::uint32_t>((now + lifetime_).time_since_epoch().count());
  return base64url_encode(token(expiry, realm, client));
}

bool NonceSource::is_valid(std::string_view nonce, std::string_view realm, const FiveTuple& client,
                           WallTime now) const {
  const auto claimed = base64url_decode(nonce);
  if (!claimed || claimed->size() != Token{}.size()) return false;
  const std::uint32_t expiry = load_be32(claimed->data());
  if (!equal_constant_time(*claimed, token(expiry, realm, client))) return false;
  return now.time_since_epoch().count() < expiry;
}

NonceSource::Token NonceSource::token(std::uint32_t expiry, std::string_view realm, const FiveTuple& client) const {
  Token token{};
  store_be32(token.data(), expiry);
  // RFC 8489 §9.2.4 wants the port to count too. Deviation: over streams it does not, for the sake of RFC 6062.
  const std::uint16_t port = is_stream(client.transport) ? 0 : client.client.port;
  const std::array<std::uint8_t, 4> ends{static_cast<std::uint8_t>(client.transport),
                                         static_cast<std::uint8_t>(client.client.address.family()),
                                         static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
  const auto mac = hmac_({Bytes{token}.first(4), ends, client.client.address.octets(), as_bytes(realm)});
  std::copy_n(mac.begin(), token.size() - 4, token.begin() + 4);
  return token;
}

}  // namespace causeway::turn
