// SPDX-License-Identifier: Apache-2.0
// Access tokens as JWTs (RFC 7519): which keys verify them, which claims they have to have, and how one is made.
//
//   room         the room, or the beginning of its name and "*"      required
//   exp          the second at which it ends                         required
//   nbf, aud     RFC 7519 §4.1.5, §4.1.3                             checked where present
//   role         "member" (the default), "moderator" or "listener"
//   sub, name    the application's id of the bearer, and the name that is shown
//   members_max  the bearer enters only a room with fewer members
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/token_key.hpp"
#include "causeway/signaling/access.hpp"

namespace causeway::app {

class JwtAccess final : public signaling::AccessTokens {
 public:
  // Reads the keys; throws std::runtime_error with a sentence.
  explicit JwtAccess(const config::Tokens& tokens);

  signaling::TokenUse use() const noexcept override { return use_; }
  Result<signaling::AccessClaims, signaling::BadToken> verify(std::string_view token, Now now) const override;

 private:
  std::optional<std::string> verified_payload(std::string_view token) const;

  signaling::TokenUse use_;
  std::optional<std::string> audience_;
  std::vector<TokenKey> keys_;
};

// `claims.room` and so on are taken as they are.
std::string make_access_token(const TokenKey& key, const signaling::AccessClaims& claims,
                              const std::optional<std::string>& audience, WallTime expires_at);

// nullopt: no role has that name.
std::optional<signaling::Role> role_named(std::string_view name) noexcept;

}  // namespace causeway::app
