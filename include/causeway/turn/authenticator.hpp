// SPDX-License-Identifier: Apache-2.0
// The long-term credential mechanism, server side (RFC 8489 §9.2.4, RFC 5389 §10.2.2). Clients of both RFCs are served
// at the same time: who answers with PASSWORD-ALGORITHM gets SHA-256, who does not gets MD5 and SHA-1. The nonce cookie
// tells the former which offer the server made, so that nobody in between can take it away unseen (bid-down).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "causeway/base/result.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/credentials.hpp"
#include "causeway/turn/nonce.hpp"
#include "causeway/turn/proven_users.hpp"
#include "causeway/turn/stun_error.hpp"

namespace causeway::turn {

// A client that has proved that it knows a password.
class Identity {
 public:
  Identity(std::shared_ptr<const ProvenUser> user, bool answers_with_sha256) noexcept
      : user_(std::move(user)), answers_with_sha256_(answers_with_sha256) {}

  // As sent, or the one that the USERHASH stands for.
  const std::string& username() const noexcept { return user_->username; }
  const Credentials::Candidate& credential() const noexcept { return user_->credential; }
  const stun::IntegrityKey& integrity() const noexcept { return user_->integrity; }
  // The answer carries MESSAGE-INTEGRITY-SHA256, because the request named its password algorithm.
  bool answers_with_sha256() const noexcept { return answers_with_sha256_; }

 private:
  std::shared_ptr<const ProvenUser> user_;
  bool answers_with_sha256_;
};

class Authenticator {
 public:
  Authenticator(std::shared_ptr<const Credentials> credentials, NonceSource nonces) noexcept
      : credentials_(std::move(credentials)), nonces_(std::move(nonces)) {}

  void set_credentials(std::shared_ptr<const Credentials> credentials) noexcept {
    credentials_ = std::move(credentials);
    proven_.clear();
  }
  const Credentials& credentials() const noexcept { return *credentials_; }

  // Errors: 400, 401 and 438; an answer with 401 or 438 carries a challenge.
  Result<Identity, StunError> authenticate(const stun::MessageView& request, const FiveTuple& client, Now now);

  // REALM, NONCE and PASSWORD-ALGORITHMS; FINGERPRINT follows where the request has one. Deviation: a request that is
  // too small for all of it (answer_size.hpp) gets a challenge of RFC 5389, without the last and the nonce cookie (RFC
  // 8489 §9.2). No client sends one: REQUESTED-TRANSPORT alone makes it large enough.
  void add_challenge(stun::MessageBuilder& response, const stun::MessageView& request, const FiveTuple& client,
                     Now now) const;
  static void add_integrity(stun::MessageBuilder& response, const Identity& identity);

 private:
  bool has_room_for_algorithms(const stun::MessageBuilder& response, const stun::MessageView& request,
                               const FiveTuple& client) const noexcept;
  // The two kinds of nonce, told apart by the cookie in front; the nonce itself vouches for it.
  std::string make_nonce(std::string_view cookie, const FiveTuple& client, Now now) const;
  bool is_valid_nonce(std::string_view nonce, const FiveTuple& client, Now now) const;

  // nullptr: the request is not signed with a password of this user.
  std::shared_ptr<const ProvenUser> prove(const stun::MessageView& request, std::string_view username,
                                          stun::PasswordAlgorithm algorithm, WallTime now);

  std::shared_ptr<const Credentials> credentials_;
  NonceSource nonces_;
  ProvenUsers proven_;
};

}  // namespace causeway::turn
