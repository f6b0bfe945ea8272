// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "net/dtls_context.hpp"
#include "tls_files.hpp"

namespace causeway::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string problem(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  try {
    const TlsContext context(certificate, key);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(TlsContext, knows_how_long_the_certificate_is_valid) {
  const WallTime made_at{std::chrono::sys_days{std::chrono::year{2020} / 2 / 3}};
  const TlsFiles files(made_at);
  const TlsContext context(files.certificate(), files.private_key());
  EXPECT_LE(context.not_before(), made_at);
  EXPECT_GT(context.not_before(), made_at - std::chrono::days(2));
  EXPECT_EQ(std::chrono::round<std::chrono::days>(context.not_after() - made_at), app::kCertificateLife);
}

// RFC 8489 §6.2.3, BCP 195: each suite of TLS 1.2 with an ephemeral key on an elliptic curve and authenticated
// encryption.
TEST(TlsContext, offers_forward_secret_aead_suites_alone) {
  const TlsFiles files;
  const TlsContext tls(files.certificate(), files.private_key());
  const DtlsContext dtls(tls);
  for (SSL_CTX* context : {tls.native_handle(), dtls.native_handle()}) {
    std::set<std::string> names;
    const STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
      const SSL_CIPHER* suite = sk_SSL_CIPHER_value(suites, i);
      EXPECT_EQ(SSL_CIPHER_is_aead(suite), 1);
      const int exchange = SSL_CIPHER_get_kx_nid(suite);
      EXPECT_TRUE(exchange == NID_kx_ecdhe || exchange == NID_kx_any) << SSL_CIPHER_get_name(suite);  // any: TLS 1.3
      EXPECT_NE(SSL_CIPHER_get_auth_nid(suite), NID_auth_null);
      names.insert(SSL_CIPHER_standard_name(suite));
    }
    EXPECT_TRUE(names.contains("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    EXPECT_TRUE(names.contains("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    EXPECT_FALSE(names.contains("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"));
    EXPECT_NE(SSL_CTX_get_options(context) & SSL_OP_NO_COMPRESSION, 0u);
  }
}

TEST(TlsContext, names_the_file_that_is_missing) {
  const TlsFiles files;
  EXPECT_THAT(problem(files.folder() / "none.pem", files.private_key()),
              AllOf(HasSubstr("none.pem"), HasSubstr("certificate"), HasSubstr("No such file")));
  EXPECT_THAT(problem(files.certificate(), files.folder() / "none.key"),
              AllOf(HasSubstr("none.key"), HasSubstr("private key"), HasSubstr("No such file")));
  EXPECT_THAT(problem(files.folder(), files.private_key()), HasSubstr("is a directory"));
}

TEST(TlsContext, says_that_a_file_is_not_pem) {
  const TlsFiles files;
  const auto junk = files.folder() / "junk.pem";
  write_file(junk, "hello");
  EXPECT_THAT(problem(junk, files.private_key()), AllOf(HasSubstr("junk.pem"), HasSubstr("no certificate")));
  EXPECT_THAT(problem(files.certificate(), junk), AllOf(HasSubstr("junk.pem"), HasSubstr("no private key")));
  EXPECT_THAT(problem(files.private_key(), files.private_key()), HasSubstr("no certificate"));
  EXPECT_THAT(problem(files.certificate(), files.certificate()), HasSubstr("no private key"));
}

TEST(TlsContext, says_that_the_key_belongs_to_another_certificate) {
  const TlsFiles files;
  const TlsFiles others;
  EXPECT_THAT(problem(files.certificate(), others.private_key()),
              AllOf(HasSubstr(others.private_key()), HasSubstr("does not belong to"), HasSubstr(files.certificate())));
}

TEST(TlsContext, asks_nobody_for_a_passphrase) {
  const TlsFiles files;
  std::unique_ptr<BIO, decltype(&BIO_free)> plain(BIO_new_file(files.private_key().c_str(), "r"), BIO_free);
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(plain.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const auto path = files.folder() / "encrypted.key";
  {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new_file(path.c_str(), "w"), BIO_free);
    std::string passphrase = "secret";
    ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                            static_cast<int>(passphrase.size()), nullptr, nullptr),
              1);
  }
  EXPECT_THAT(problem(files.certificate(), path), AllOf(HasSubstr("encrypted.key"), HasSubstr("passphrase")));
}

}  // namespace
}  // namespace causeway::net
