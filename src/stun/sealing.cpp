// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/sealing.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "causeway/base/free_with.hpp"

namespace causeway::stun {
namespace {

constexpr const char* kAlgorithm = "AES-256-SIV";

using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;

[[noreturn]] void throw_unavailable() {
  throw std::runtime_error(
      "OpenSSL cannot compute AES-SIV (RFC 5297), which turn.mobility needs: activate OpenSSL's default provider in "
      "openssl.cnf");
}

Context start(const SealKey& key, bool sealing) {
  const Cipher cipher{EVP_CIPHER_fetch(nullptr, kAlgorithm, nullptr)};
  Context context{EVP_CIPHER_CTX_new()};
  const bool ok = cipher && context && EVP_CIPHER_get_key_length(cipher.get()) == static_cast<int>(key.size()) &&
                  EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, sealing ? 1 : 0, nullptr) == 1;
  if (!ok) throw_unavailable();
  return context;
}

}  // namespace

// RFC 5297 §2.6: the synthetic IV, which is the tag, and then the ciphertext.
std::vector<std::uint8_t> seal(const SealKey& key, Bytes plain) {
  const Context context = start(key, true);
  std::vector<std::uint8_t> sealed(kSealBytes + plain.size());
  int written = 0;
  int rest = 0;
  const bool ok =
      EVP_EncryptUpdate(context.get(), sealed.data() + kSealBytes, &written, plain.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), sealed.data() + kSealBytes + written, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kSealBytes), sealed.data()) == 1;
  if (!ok) throw_unavailable();
  return sealed;
}

std::optional<std::vector<std::uint8_t>> unseal(const SealKey& key, Bytes sealed) {
  if (sealed.size() <= kSealBytes) return std::nullopt;
  const Context context = start(key, false);
  std::array<std::uint8_t, kSealBytes> tag{};  // OpenSSL wants it without const
  std::copy_n(sealed.begin(), kSealBytes, tag.begin());
  const Bytes hidden = sealed.subspan(kSealBytes);
  std::vector<std::uint8_t> plain(hidden.size());
  int written = 0;
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kSealBytes), tag.data()) != 1) {
    throw_unavailable();
  }
  const bool authentic =
      EVP_DecryptUpdate(context.get(), plain.data(), &written, hidden.data(), static_cast<int>(hidden.size())) == 1 &&
      written == static_cast<int>(plain.size());
  if (!authentic) return std::nullopt;
  return plain;
}

}  // namespace causeway::stun
