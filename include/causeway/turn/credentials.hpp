// SPDX-License-Identifier: Apache-2.0
// Who may use the relay: static users and time-limited credentials made from a shared secret, both at the same time.
// An immutable snapshot of one realm; a change of users is a new snapshot. All answers come from memory. A UserGate may
// refuse users with time-limited credentials for as long as it likes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/time.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/user_gate.hpp"

namespace causeway::turn {

// Time-limited credentials ("TURN REST API"): the username is EXPIRY:USER, with EXPIRY in seconds since 1970, and the
// password is the base64 of HMAC-SHA1(secret, username).
struct TimeLimitedCredential {
  std::string username;
  std::string password;
};
TimeLimitedCredential make_time_limited_credential(std::string_view secret, std::string_view user, WallTime expires_at);

class Credentials {
 public:
  // A key the client may have used, and what it would prove.
  struct Candidate {
    stun::LongTermKey key;
    std::string user;                    // who this is to quotas and logs: the username without its expiry
    std::optional<WallTime> expires_at;  // nullopt: a static user
  };

  // users: name to password, both in their OpaqueString form (RFC 8265 §4.2). Without a gate everybody is admitted.
  Credentials(std::string realm, const std::map<std::string, std::string>& users,
              std::vector<std::string> shared_secrets, std::shared_ptr<const UserGate> gate = nullptr);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  const std::string& realm() const noexcept { return realm_; }
  // Empty for an unknown user or an expired username. One candidate for each secret otherwise.
  std::vector<Candidate> find(std::string_view username, stun::PasswordAlgorithm algorithm, WallTime now) const;
  // Whether the gate lets the user of this proven candidate in. Ask after the integrity check.
  bool admits(const Candidate& candidate) const;
  // Whether the key is still one that `username` may use.
  bool accepts(std::string_view username, const stun::LongTermKey& key, WallTime now) const;
  // The static user of whom this is the USERHASH (RFC 8489 §14.4). A time-limited username is nowhere but in its
  // client's hands, so it cannot be found by its hash, and the server does not ask for anonymous usernames.
  std::optional<std::string_view> username_of(Bytes userhash) const;

 private:
  struct User {
    stun::LongTermKey md5;
    stun::LongTermKey sha256;
  };
  stun::LongTermKey key_of(std::string_view username, std::string_view password,
                           stun::PasswordAlgorithm algorithm) const;

  std::string realm_;
  std::map<std::string, User, std::less<>> users_;
  std::map<stun::Sha256Digest, std::string_view> users_by_hash_;  // views of the keys of users_
  std::vector<std::string> shared_secrets_;
  std::shared_ptr<const UserGate> gate_;
};

}  // namespace causeway::turn
