// SPDX-License-Identifier: Apache-2.0
#include "app/self_signed_certificate.hpp"

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "fake_time.hpp"

using namespace causeway;
using namespace causeway::app;
using causeway::test::kNow;

namespace {

std::shared_ptr<X509> parse(const std::string& pem) {
  const std::shared_ptr<BIO> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all};
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

}  // namespace

TEST(SelfSignedCertificate, IsValidForItsNamesAndNoOthers) {
  const std::string key = make_private_key_pem();
  const SubjectNames names{{"localhost", "call.example.org"},
                           {*IpAddress::parse("192.0.2.7"), *IpAddress::parse("::1")}};
  const auto certificate = parse(make_certificate_pem(key, names, kNow));
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_check_host(certificate.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(certificate.get(), "call.example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(certificate.get(), "example.org", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.8", 0), 0);
}

TEST(SelfSignedCertificate, IsTrustedByWhoeverTrustsIt) {
  const auto certificate = parse(make_certificate_pem(make_private_key_pem(), {{"localhost"}, {}}, kNow));
  const std::shared_ptr<X509_STORE> store{X509_STORE_new(), X509_STORE_free};
  X509_STORE_add_cert(store.get(), certificate.get());
  const std::shared_ptr<X509_STORE_CTX> context{X509_STORE_CTX_new(), X509_STORE_CTX_free};
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context.get(), 0, kNow.time_since_epoch().count());
  EXPECT_EQ(X509_verify_cert(context.get()), 1) << X509_STORE_CTX_get_error(context.get());
}

TEST(SelfSignedCertificate, IsVersion3P256AndNoAuthority) {
  const auto certificate = parse(make_certificate_pem(make_private_key_pem(), {{"localhost"}, {}}, kNow));
  EXPECT_EQ(X509_get_version(certificate.get()), X509_VERSION_3);
  EXPECT_EQ(X509_check_ca(certificate.get()), 0);
  EXPECT_EQ(X509_get_signature_nid(certificate.get()), NID_ecdsa_with_SHA256);
  EXPECT_EQ(EVP_PKEY_get_bits(X509_get0_pubkey(certificate.get())), 256);
}

TEST(SelfSignedCertificate, EachHasASerialNumberOfItsOwn) {
  const std::string key = make_private_key_pem();
  const auto first = parse(make_certificate_pem(key, {{"localhost"}, {}}, kNow));
  const auto second = parse(make_certificate_pem(key, {{"localhost"}, {}}, kNow));
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(first.get()), X509_get0_serialNumber(second.get())), 0);
}

TEST(SelfSignedCertificate, NamesOfThisMachineHaveLocalhostAndItsAddresses) {
  const SubjectNames names = local_subject_names();
  EXPECT_THAT(names.host_names, testing::Contains("localhost"));
  EXPECT_THAT(names.addresses, testing::Contains(*IpAddress::parse("127.0.0.1")));
  for (const IpAddress& address : names.addresses)
    EXPECT_FALSE(address.to_string().starts_with("fe80:"));
}

TEST(SelfSignedCertificate, WhatIsNoKeyOrCertificateThrows) {
  EXPECT_THROW(make_certificate_pem("", {}, kNow), std::runtime_error);
  const std::string key = make_private_key_pem();
  EXPECT_THROW(inspect_certificate("", key), std::runtime_error);
  EXPECT_THROW(inspect_certificate(make_certificate_pem(key, {{"localhost"}, {}}, kNow), make_private_key_pem()),
               std::runtime_error);
}
