// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/integrity.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "causeway/base/free_with.hpp"

namespace causeway::stun {
namespace {

[[noreturn]] void throw_unavailable(const std::string& algorithm) {
  throw std::runtime_error("OpenSSL cannot compute " + algorithm +
                           ", which STUN needs (RFC 8489): activate OpenSSL's default provider in openssl.cnf");
}

template <std::size_t N>
std::array<std::uint8_t, N> digest(const char* algorithm, std::initializer_list<Bytes> parts) {
  const std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>> method{EVP_MD_fetch(nullptr, algorithm, nullptr)};
  const std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context{EVP_MD_CTX_new()};
  bool ok = method && context && EVP_DigestInit_ex2(context.get(), method.get(), nullptr) == 1;
  for (const Bytes part : parts)
    ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  std::array<std::uint8_t, N> out{};
  ok = ok && EVP_MD_get_size(method.get()) == static_cast<int>(N);
  if (!ok || EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1) throw_unavailable(algorithm);
  return out;
}

template <class Digest>
constexpr const char* kHashOf = std::tuple_size_v<Digest> == 20 ? "SHA1" : "SHA2-256";

// RFC 8489 §18.5.1.1 and §18.5.1.2 build the key of the same text.
template <std::size_t N>
LongTermKey long_term_key(const char* algorithm, std::string_view username, std::string_view realm,
                          std::string_view password) {
  return LongTermKey{
      digest<N>(algorithm, {as_bytes(username), as_bytes(":"), as_bytes(realm), as_bytes(":"), as_bytes(password)})};
}

template <class Digest>
bool check_integrity(const MessageView& message, AttributeType type, const Hmac<Digest>& hmac) {
  const auto attribute = message.find(type);
  if (!attribute) return false;
  // RFC 8489 §14.5, §14.6: as if the message ended with this attribute, whatever follows it.
  std::array<std::uint8_t, 2> length{};
  const std::size_t end = attribute->offset + kAttributeHeaderBytes + attribute->value.size();
  store_be16(length.data(), static_cast<std::uint16_t>(end - kHeaderBytes));
  const Bytes bytes = message.bytes();
  const Digest expected = hmac({bytes.first(2), Bytes{length}, bytes.subspan(4, attribute->offset - 4)});
  return equal_constant_time(attribute->value, expected);  // false for any other length
}

constexpr std::array<std::uint32_t, 256> kCrc32Table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xEDB88320 : 0);
    table[i] = remainder;
  }
  return table;
}();

}  // namespace

LongTermKey::LongTermKey(Bytes octets) noexcept {
  if (octets.size() != 16 && octets.size() != 32) return;
  std::copy(octets.begin(), octets.end(), octets_.begin());
  size_ = static_cast<std::uint8_t>(octets.size());
}

LongTermKey long_term_key_md5(std::string_view username, std::string_view realm, std::string_view password) {
  return long_term_key<16>("MD5", username, realm, password);
}

LongTermKey long_term_key_sha256(std::string_view username, std::string_view realm, std::string_view password) {
  return long_term_key<32>("SHA2-256", username, realm, password);
}

Sha256Digest userhash(std::string_view username, std::string_view realm) {
  return digest<32>("SHA2-256", {as_bytes(username), as_bytes(":"), as_bytes(realm)});
}

template <class Digest>
void Hmac<Digest>::Free::operator()(EVP_MAC_CTX* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

template <class Digest>
Hmac<Digest>::Hmac(Bytes key) {
  static constexpr std::uint8_t kNoKey = 0;  // a null pointer would mean "keep the key set before"
  std::string hash = kHashOf<Digest>;        // OSSL_PARAM takes it without const
  const std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
                                             OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_MAC, FreeWith<EVP_MAC_free>> method{EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr)};
  context_.reset(method ? EVP_MAC_CTX_new(method.get()) : nullptr);
  const bool ok =
      context_ && EVP_MAC_init(context_.get(), key.empty() ? &kNoKey : key.data(), key.size(), parameters.data()) == 1;
  if (!ok) throw_unavailable("HMAC with " + hash);
}

template <class Digest>
Digest Hmac<Digest>::operator()(std::initializer_list<Bytes> parts) const {
  bool ok = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
  for (const Bytes part : parts)
    ok = ok && EVP_MAC_update(context_.get(), part.data(), part.size()) == 1;
  Digest out{};
  std::size_t written = 0;
  if (!ok || EVP_MAC_final(context_.get(), out.data(), &written, out.size()) != 1 || written != out.size()) {
    throw_unavailable(std::string{"HMAC with "} + kHashOf<Digest>);
  }
  return out;
}

template class Hmac<Sha1Digest>;
template class Hmac<Sha256Digest>;

Sha1Digest hmac_sha1(Bytes key, std::initializer_list<Bytes> parts) {
  return HmacSha1{key}(parts);
}

Sha256Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts) {
  return HmacSha256{key}(parts);
}

const HmacSha1& IntegrityKey::sha1() const {
  if (!sha1_) sha1_.emplace(key_.octets());
  return *sha1_;
}

const HmacSha256& IntegrityKey::sha256() const {
  if (!sha256_) sha256_.emplace(key_.octets());
  return *sha256_;
}

bool check_message_integrity(const MessageView& message, const IntegrityKey& key) {
  if (key.key().octets().empty()) return false;
  return check_integrity(message, AttributeType::kMessageIntegrity, key.sha1());
}

bool check_message_integrity(const MessageView& message, Bytes key) {
  return !key.empty() && check_integrity(message, AttributeType::kMessageIntegrity, HmacSha1{key});
}

// RFC 8489 §14.6: the full 32 octets, because no usage here allows truncation.
bool check_message_integrity_sha256(const MessageView& message, const IntegrityKey& key) {
  if (key.key().octets().empty()) return false;
  return check_integrity(message, AttributeType::kMessageIntegritySha256, key.sha256());
}

bool check_message_integrity_sha256(const MessageView& message, Bytes key) {
  return !key.empty() && check_integrity(message, AttributeType::kMessageIntegritySha256, HmacSha256{key});
}

std::uint32_t fingerprint_of(Bytes message_before_attribute) noexcept {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t octet : message_before_attribute)
    crc = (crc >> 8) ^ kCrc32Table[(crc ^ octet) & 0xFF];
  return ~crc ^ 0x5354554E;  // RFC 8489 §14.7: tells it from the CRC-32 of another protocol
}

Fingerprint check_fingerprint(const MessageView& message) noexcept {
  const auto attribute = message.find(AttributeType::kFingerprint);
  if (!attribute) return Fingerprint::kAbsent;
  const bool is_last = attribute->offset + kAttributeHeaderBytes + 4 == message.bytes().size();
  if (attribute->value.size() != 4 || !is_last) return Fingerprint::kInvalid;
  const bool matches = load_be32(attribute->value.data()) == fingerprint_of(message.bytes().first(attribute->offset));
  return matches ? Fingerprint::kValid : Fingerprint::kInvalid;
}

}  // namespace causeway::stun
