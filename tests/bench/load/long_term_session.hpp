// SPDX-License-Identifier: Apache-2.0
// What a client with long-term credentials remembers of a server (RFC 8489 §9.2): realm, nonce and key.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"

namespace causeway::load {

struct Account {
  std::string username, password;
};

// REQUESTED-TRANSPORT for UDP (RFC 8656 §18.8): the protocol's number in the first octet.
inline constexpr std::uint32_t kRequestedUdp = 17U << 24;

using RequestBuffer = std::array<std::uint8_t, 1024>;

class LongTermSession {
 public:
  explicit LongTermSession(const Account& account);

  // Without credentials until there is a nonce, or where `anonymous`. Each request has a transaction id of its own.
  template <class Fill>
  Bytes request(RequestBuffer& buffer, stun::Method method, bool anonymous, Fill fill) {
    store_be32(id_.data() + 8, ++transactions_);
    stun::MessageBuilder message{buffer, method, stun::MessageClass::kRequest, id_};
    fill(message);
    if (!anonymous && !nonce_.empty()) add_credentials(message);
    return message.finish();
  }

  const stun::TransactionId& last_id() const noexcept { return id_; }

  enum class Answer : std::uint8_t { kSuccess, kChallenge, kRefused, kNotAuthentic };
  // Takes realm and nonce from a challenge (401, 438).
  Answer judge(const stun::MessageView& reply);
  int error_code() const noexcept { return error_code_; }  // of the last reply that was no success

 private:
  void add_credentials(stun::MessageBuilder& message) const;

  Account account_;
  std::string realm_, nonce_;
  stun::LongTermKey key_;
  stun::TransactionId id_{};  // eight octets of chance and a number
  std::uint32_t transactions_ = 0;
  int error_code_ = 0;
};

}  // namespace causeway::load
