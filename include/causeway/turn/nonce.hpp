// SPDX-License-Identifier: Apache-2.0
// Stateless nonces (RFC 8489 §9.2, §14.10): the server can tell that it made one, for whom and when, without
// remembering it. No state exists for a stranger before the address it writes from is proved.
//
//   base64url of:  expiry, seconds since 1970 (32 bits)
//                  HMAC-SHA256(key, expiry, transport, client address, its port over UDP and DTLS, realm), 96 bits
//
// RFC 8489 §9.2.4: of one address and port, so that a request that somebody has captured is no good from another port
// behind the same NAT. A client that moves (RFC 8016) or gets another port from its NAT is told 438 and goes on with
// the nonce in it. Deviation: over TCP and TLS the port does not count. A client of RFC 6062 sends ConnectionBind on a
// new connection with the nonce of the first, and coturn's gives up at 438. Deviation: RFC 8656 §5 asks for a new
// random one with each allocation, which without state is one for each second. The Authenticator puts the nonce cookie
// (RFC 8489 §9.2) in front.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "causeway/base/bytes.hpp"
#include "causeway/base/time.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/five_tuple.hpp"

namespace causeway::turn {

using NonceKey = std::array<std::uint8_t, 32>;

// Belongs to one event loop, like the Hmac in it.
class NonceSource {
 public:
  static constexpr std::size_t kNonceBytes = 22;

  NonceSource(const NonceKey& key, std::chrono::seconds lifetime) : hmac_(key), lifetime_(lifetime) {}

  // The nonce is of the client's end of the five-tuple and its transport, whichever of its addresses the server has.
  std::string make(std::string_view realm, const FiveTuple& client, WallTime now) const;
  // True for one that make() returned for this realm and client less than the lifetime ago.
  bool is_valid(std::string_view nonce, std::string_view realm, const FiveTuple& client, WallTime now) const;

 private:
  using Token = std::array<std::uint8_t, 16>;
  Token token(std::uint32_t expiry, std::string_view realm, const FiveTuple& client) const;

  stun::HmacSha256 hmac_;
  std::chrono::seconds lifetime_;
};

}  // namespace causeway::turn
