// SPDX-License-Identifier: Apache-2.0
// Keys, message integrity and fingerprint (RFC 8489 §9, §14.5–14.7). The only part of the core that uses OpenSSL:
// what computes a digest throws std::runtime_error where OpenSSL does not provide the algorithm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>

#include "causeway/base/bytes.hpp"
#include "causeway/stun/message.hpp"

using EVP_MAC_CTX = struct evp_mac_ctx_st;

namespace causeway::stun {

using Sha1Digest = std::array<std::uint8_t, 20>;
using Sha256Digest = std::array<std::uint8_t, 32>;

// The key of a long-term credential: MD5 gives 16 octets, SHA-256 32 (RFC 8489 §9.2.2).
class LongTermKey {
 public:
  LongTermKey() = default;
  explicit LongTermKey(Bytes octets) noexcept;  // 16 or 32; of any other number none is kept
  Bytes octets() const noexcept { return {octets_.data(), size_}; }

 private:
  std::array<std::uint8_t, 32> octets_{};
  std::uint8_t size_ = 0;
};

// username:realm:password, all three already in their OpaqueString / SASLprep form.
LongTermKey long_term_key_md5(std::string_view username, std::string_view realm, std::string_view password);
LongTermKey long_term_key_sha256(std::string_view username, std::string_view realm, std::string_view password);

// RFC 8489 §14.4: SHA-256 of username:realm.
Sha256Digest userhash(std::string_view username, std::string_view realm);

// HMAC with one key, whose part of the work is done once: a fifth of what hmac_sha1() costs. About a kilobyte. Not
// thread-safe, not even two calls of const; one that was moved from is of no use.
template <class Digest>
class Hmac {
 public:
  explicit Hmac(Bytes key);
  // Over the concatenation of the parts.
  Digest operator()(std::initializer_list<Bytes> parts) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const noexcept;
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};
using HmacSha1 = Hmac<Sha1Digest>;
using HmacSha256 = Hmac<Sha256Digest>;

// For a key that is used once.
Sha1Digest hmac_sha1(Bytes key, std::initializer_list<Bytes> parts);
Sha256Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts);

// The key of a user who sends several requests. Empty: nothing matches, and nothing is to be written with it.
class IntegrityKey {
 public:
  explicit IntegrityKey(const LongTermKey& key) noexcept : key_(key) {}
  const LongTermKey& key() const noexcept { return key_; }
  const HmacSha1& sha1() const;
  const HmacSha256& sha256() const;

 private:
  LongTermKey key_;
  mutable std::optional<HmacSha1> sha1_;  // made when it is asked for
  mutable std::optional<HmacSha256> sha256_;
};

// False when the attribute is missing, has a wrong length or does not match, or the key is empty. Constant time in the
// comparison.
bool check_message_integrity(const MessageView& message, const IntegrityKey& key);
bool check_message_integrity(const MessageView& message, Bytes key);
bool check_message_integrity_sha256(const MessageView& message, const IntegrityKey& key);
bool check_message_integrity_sha256(const MessageView& message, Bytes key);

// CRC-32 (ITU-T V.42) XOR 0x5354554E over the message before the attribute.
std::uint32_t fingerprint_of(Bytes message_before_attribute) noexcept;
enum class Fingerprint : std::uint8_t { kAbsent, kValid, kInvalid };
// kInvalid also when it is not the last attribute.
Fingerprint check_fingerprint(const MessageView& message) noexcept;

}  // namespace causeway::stun
