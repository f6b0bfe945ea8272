// SPDX-License-Identifier: Apache-2.0
#include "load/long_term_session.hpp"

#include <random>

#include "causeway/stun/attributes.hpp"

namespace causeway::load {

LongTermSession::LongTermSession(const Account& account) : account_(account) {
  std::random_device device;
  store_be32(id_.data(), device());
  store_be32(id_.data() + 4, device());
}

void LongTermSession::add_credentials(stun::MessageBuilder& message) const {
  message.add_text(stun::AttributeType::kUsername, account_.username);
  message.add_text(stun::AttributeType::kRealm, realm_);
  message.add_text(stun::AttributeType::kNonce, nonce_);
  message.add_message_integrity(key_.octets());
}

LongTermSession::Answer LongTermSession::judge(const stun::MessageView& reply) {
  if (reply.message_class() == stun::MessageClass::kSuccessResponse)
    return stun::check_message_integrity(reply, key_.octets()) ? Answer::kSuccess : Answer::kNotAuthentic;
  error_code_ = stun::read_error_code(reply.value(stun::AttributeType::kErrorCode).value_or(Bytes{})).value_or(0);
  const auto realm = reply.value(stun::AttributeType::kRealm), nonce = reply.value(stun::AttributeType::kNonce);
  if ((error_code_ != 401 && error_code_ != 438) || !realm || !nonce) return Answer::kRefused;
  if (realm_.empty()) {
    realm_ = as_text(*realm);
    key_ = stun::long_term_key_md5(account_.username, realm_, account_.password);
  }
  nonce_ = as_text(*nonce);
  return Answer::kChallenge;
}

}  // namespace causeway::load
