// SPDX-License-Identifier: Apache-2.0
// A key of access tokens, JWS in the compact form (RFC 7515 §7.1). It has exactly one algorithm: what a token's header
// says only has to be the same.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

struct _cjose_jwk_int;

namespace causeway::app {

// The part of a header that says by which key a token may be signed. Nothing in it is verified yet.
struct TokenHeader {
  std::string algorithm;
  std::optional<std::string> key_id;
};

// nullopt: not a JWS, or one with extensions that have to be understood (RFC 7515 §4.1.11).
std::optional<TokenHeader> read_token_header(std::string_view token);

class TokenKey {
 public:
  // `jwk` is the text of an RFC 7517 key. Throws std::runtime_error with a sentence that begins with `name` when it is
  // none, or none for `algorithm` (RFC 7518 §3.1).
  TokenKey(const std::string& name, std::string id, std::string algorithm, const std::string& jwk);

  const std::string& id() const noexcept { return id_; }  // empty: none
  const std::string& algorithm() const noexcept { return algorithm_; }
  bool can_sign() const noexcept { return can_sign_; }

  // The payload of a token that this key has signed.
  std::optional<std::string> verify(std::string_view token) const;
  // can_sign() holds.
  std::string sign(std::string_view payload) const;

 private:
  struct Release {
    void operator()(_cjose_jwk_int* key) const noexcept;
  };

  std::string id_;
  std::string algorithm_;
  bool can_sign_ = false;
  std::unique_ptr<_cjose_jwk_int, Release> key_;
};

// Those that the configuration names, its own first. Throws std::runtime_error with a sentence when a file cannot be
// read or holds no key for its algorithm.
std::vector<TokenKey> load_token_keys(const config::Tokens& tokens);

}  // namespace causeway::app
