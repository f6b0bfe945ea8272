// SPDX-License-Identifier: Apache-2.0
// Who may enter which room, and as what. The edge reads and verifies access tokens and hands in what they say; how they
// are made and signed is unknown here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "causeway/base/result.hpp"
#include "causeway/base/time.hpp"
#include "causeway/signaling/codes.hpp"

namespace causeway::signaling {

enum class TokenUse : std::uint8_t {
  kNone,      // rooms are open: the first member of a room is its moderator, and a token is refused
  kOptional,  // who comes without one is a member; nobody is a moderator without a token
  kRequired,
};

// What a verified token says of whoever presents it. Checked when somebody enters a room: who is in stays.
struct AccessClaims {
  std::string user;  // the application's own name for the bearer, shown to the others; empty: none
  std::string name;  // shown in place of the one that the client asks for; empty: none
  std::string room;  // a room's name, or the beginning of one and a '*' at the end
  Role role = Role::kMember;
  std::optional<std::size_t> members_max;  // the bearer enters only a room with fewer members
};

struct BadToken {
  ErrorCode code = ErrorCode::kBadToken;  // or kTokenExpired
  std::string message;                    // for a person
};

// Where the Hub has tokens verified. The application implements it.
class AccessTokens {
 public:
  virtual ~AccessTokens() = default;
  virtual TokenUse use() const noexcept = 0;
  virtual Result<AccessClaims, BadToken> verify(std::string_view token, Now now) const = 0;
};

// Open rooms: for servers that have no keys.
class NoAccessTokens final : public AccessTokens {
 public:
  TokenUse use() const noexcept override { return TokenUse::kNone; }
  Result<AccessClaims, BadToken> verify(std::string_view token, Now now) const override;
};

// Whether a token for `pattern` is one for `room`.
bool covers(std::string_view pattern, std::string_view room) noexcept;

}  // namespace causeway::signaling
