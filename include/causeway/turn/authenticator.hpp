// SPDX-License-Identifier: Apache-2.0
// The long-term credential mechanism, server side (RFC 8489 §9.2.4, RFC 5389 §10.2.2).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "causeway/base/result.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/credentials.hpp"
#include "causeway/turn/nonce.hpp"
#include "causeway/turn/stun_error.hpp"

namespace causeway::turn {

// A client that has proved that it knows a password.
struct Identity {
  std::string username;  // as sent
  Credentials::Candidate credential;
};

class Authenticator {
 public:
  Authenticator(std::shared_ptr<const Credentials> credentials, NonceSource nonces) noexcept
      : credentials_(std::move(credentials)), nonces_(nonces) {}

  // Errors: 400, 401 and 438; a 401 or 438 answer carries realm() and a nonce of make_nonce().
  Result<Identity, StunError> authenticate(const stun::MessageView& request, const IpAddress& client, Now now) const;

  const std::string& realm() const noexcept { return credentials_->realm(); }
  std::string make_nonce(const IpAddress& client, Now now) const { return nonces_.make(realm(), client, now.wall); }

 private:
  std::shared_ptr<const Credentials> credentials_;
  NonceSource nonces_;
};

}  // namespace causeway::turn
