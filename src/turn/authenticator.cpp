// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/authenticator.hpp"

#include <algorithm>
#include <array>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/answer_size.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;
using stun::PasswordAlgorithm;

namespace {

// RFC 8489 §9.2: "obMatJos2" and the base64 of the security features; bit 0 is "password algorithms" (§18.1). Bit 1,
// "username anonymity", stays unset: it would keep time-limited usernames from working, which no hash can be found of.
constexpr std::string_view kNonceCookie = "obMatJos2gAAA";

// RFC 8489 §14.11, in the order of preference; none has parameters.
constexpr std::array<std::uint8_t, 8> kPasswordAlgorithms{0, 2, 0, 0, 0, 1, 0, 0};

// RFC 8489 §9.2.4, third item.
Result<PasswordAlgorithm, StunError> password_algorithm(const stun::MessageView& request, bool offered) {
  const auto algorithms = request.value(AttributeType::kPasswordAlgorithms);
  const auto algorithm = request.value(AttributeType::kPasswordAlgorithm);
  if (!offered || (!algorithms && !algorithm)) return PasswordAlgorithm::kMd5;
  if (!algorithms || !algorithm) return StunError{ErrorCode::kBadRequest};
  if (!std::equal(algorithms->begin(), algorithms->end(), kPasswordAlgorithms.begin(), kPasswordAlgorithms.end())) {
    return StunError{ErrorCode::kBadRequest};
  }
  const auto number = stun::read_password_algorithm(*algorithm);
  if (number == static_cast<std::uint16_t>(PasswordAlgorithm::kMd5)) return PasswordAlgorithm::kMd5;
  if (number == static_cast<std::uint16_t>(PasswordAlgorithm::kSha256)) return PasswordAlgorithm::kSha256;
  return StunError{ErrorCode::kBadRequest};
}

bool has_valid_integrity(const stun::MessageView& request, const stun::IntegrityKey& key) {
  if (request.has(AttributeType::kMessageIntegritySha256)) return stun::check_message_integrity_sha256(request, key);
  return stun::check_message_integrity(request, key);
}

}  // namespace

Result<Identity, StunError> Authenticator::authenticate(const stun::MessageView& request, const FiveTuple& client,
                                                        Now now) {
  // RFC 8489 §9.2.4: the checks in their order, but for one.
  if (!request.has(AttributeType::kMessageIntegrity) && !request.has(AttributeType::kMessageIntegritySha256)) {
    return StunError{ErrorCode::kUnauthenticated};
  }
  const auto sent_username = request.value(AttributeType::kUsername);
  const auto userhash = request.value(AttributeType::kUserhash);
  const auto nonce = request.value(AttributeType::kNonce);
  if (!sent_username && !userhash) return StunError{ErrorCode::kBadRequest};
  if (!nonce || !request.has(AttributeType::kRealm)) return StunError{ErrorCode::kBadRequest};
  // Deviation: the nonce before the user and the integrity, as in RFC 5389 §10.2.2, where RFC 8489 §9.2.4 has it last.
  // Only a nonce proves that the sender's address is its own, and a secret's work is not done for a stranger.
  if (!is_valid_nonce(as_text(*nonce), client, now)) return StunError{ErrorCode::kStaleNonce};
  const auto algorithm = password_algorithm(request, as_text(*nonce).starts_with(kNonceCookie));
  if (!algorithm) return algorithm.error();

  const auto username = sent_username ? std::optional{as_text(*sent_username)} : credentials_->username_of(*userhash);
  if (!username) return StunError{ErrorCode::kUnauthenticated};
  auto user = prove(request, *username, *algorithm, now.wall);
  if (!user || !credentials_->admits(user->credential)) return StunError{ErrorCode::kUnauthenticated};
  return Identity{std::move(user), request.has(AttributeType::kPasswordAlgorithm)};
}

std::shared_ptr<const ProvenUser> Authenticator::prove(const stun::MessageView& request, std::string_view username,
                                                       PasswordAlgorithm algorithm, WallTime now) {
  if (auto user = proven_.find(username, algorithm)) {
    const auto& expires_at = user->credential.expires_at;
    if ((!expires_at || *expires_at > now) && has_valid_integrity(request, user->integrity)) return user;
  }
  for (auto& candidate : credentials_->find(username, algorithm, now)) {
    stun::IntegrityKey key{candidate.key};
    if (!has_valid_integrity(request, key)) continue;
    const auto user = std::make_shared<ProvenUser>(
        ProvenUser{std::string{username}, algorithm, std::move(candidate), std::move(key)});
    proven_.remember(user);
    return user;
  }
  return nullptr;
}

bool Authenticator::has_room_for_algorithms(const stun::MessageBuilder& response, const stun::MessageView& request,
                                            const FiveTuple& client) const noexcept {
  const AddressFamily family = client.client.address.family();
  const std::string_view realm = credentials_->realm();
  const std::size_t answer = response.size() + attribute_bytes(realm.size()) +
                             attribute_bytes(kNonceCookie.size() + NonceSource::kNonceBytes) +
                             attribute_bytes(kPasswordAlgorithms.size()) +
                             (request.has(AttributeType::kFingerprint) ? attribute_bytes(sizeof(std::uint32_t)) : 0);
  const std::size_t question = packet_bytes(family, request.bytes().size());
  return packet_bytes(family, answer) <= challenge_bytes_max(question, realm);
}

void Authenticator::add_challenge(stun::MessageBuilder& response, const stun::MessageView& request,
                                  const FiveTuple& client, Now now) const {
  const bool offers_algorithms = has_room_for_algorithms(response, request, client);
  response.add_text(AttributeType::kRealm, credentials_->realm());
  response.add_text(AttributeType::kNonce, make_nonce(offers_algorithms ? kNonceCookie : "", client, now));
  if (offers_algorithms) response.add(AttributeType::kPasswordAlgorithms, kPasswordAlgorithms);
}

void Authenticator::add_integrity(stun::MessageBuilder& response, const Identity& identity) {
  if (identity.answers_with_sha256()) {
    response.add_message_integrity_sha256(identity.integrity());
  } else {
    response.add_message_integrity(identity.integrity());
  }
}

std::string Authenticator::make_nonce(std::string_view cookie, const FiveTuple& client, Now now) const {
  const std::string scope = std::string{cookie} + credentials_->realm();
  return std::string{cookie} + nonces_.make(scope, client, now.wall);
}

bool Authenticator::is_valid_nonce(std::string_view nonce, const FiveTuple& client, Now now) const {
  const std::string_view cookie = nonce.starts_with(kNonceCookie) ? kNonceCookie : "";
  const std::string scope = std::string{cookie} + credentials_->realm();
  return nonces_.is_valid(nonce.substr(cookie.size()), scope, client, now.wall);
}

}  // namespace causeway::turn
