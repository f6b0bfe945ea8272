// SPDX-License-Identifier: Apache-2.0
#include "app/self_signed_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <memory>
#include <stdexcept>

#include "app/pem.hpp"
#include "causeway/base/free_with.hpp"
#include "net/interfaces.hpp"

namespace causeway::app {
namespace {

using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

constexpr std::size_t kAddressesMax = 64;
constexpr std::size_t kSerialBytes = 16;

void require(bool succeeded, std::string_view what) {
  if (succeeded) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  throw std::runtime_error("OpenSSL cannot " + std::string{what} + ": " + reason.data());
}

Bio reading(std::string_view pem) {
  Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  require(bio != nullptr, "read from memory");
  return bio;
}

std::string text_of(const Bio& bio) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(bytes)};
}

Key parse_key(std::string_view pem) {
  Key key{PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, no_passphrase, nullptr)};
  if (!key) throw std::runtime_error("private_key.pem holds no private key in PEM format");
  return key;
}

void add_name(GENERAL_NAMES* names, int type, std::string_view octets) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  require(name != nullptr && value != nullptr, "make a subject name");
  require(ASN1_STRING_set(value, octets.data(), static_cast<int>(octets.size())) == 1, "make a subject name");
  GENERAL_NAME_set0_value(name, type, value);  // owns value from here on, as names owns name
  require(sk_GENERAL_NAME_push(names, name) > 0, "make a subject name");
}

void add_subject_names(X509* certificate, const SubjectNames& subject) {
  const Names names{GENERAL_NAMES_new()};
  require(names != nullptr, "make subject names");
  for (const std::string& host : subject.host_names)
    add_name(names.get(), GEN_DNS, host);
  for (const IpAddress& address : subject.addresses)
    add_name(names.get(), GEN_IPADD, as_text(address.octets()));
  require(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "add the subject names");
}

void add_extension(X509* certificate, int extension, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension made{X509V3_EXT_conf_nid(nullptr, &context, extension, value)};
  require(made != nullptr && X509_add_ext(certificate, made.get(), -1) == 1, "add a certificate extension");
}

// RFC 5280 §4.1.2.2: positive and unique.
void set_serial_number(X509* certificate) {
  std::array<unsigned char, kSerialBytes> octets{};
  require(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1, "make random numbers");
  octets[0] = static_cast<unsigned char>((octets[0] & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number{
      BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr)};
  require(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
          "set a serial number");
}

bool is_link_local(const IpAddress& address) {
  const Bytes octets = address.octets();
  return address.is_v4() ? octets[0] == 169 && octets[1] == 254 : octets[0] == 0xFE && (octets[1] & 0xC0) == 0x80;
}

}  // namespace

SubjectNames local_subject_names() {
  SubjectNames names{{"localhost"}, {}};
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0' && names.host_names[0] != host.data()) {
    names.host_names.emplace_back(host.data());
  }
  const auto addresses = net::interface_addresses();
  if (!addresses) return names;
  for (const IpAddress& address : *addresses) {
    if (!is_link_local(address) && names.addresses.size() < kAddressesMax) names.addresses.push_back(address);
  }
  return names;
}

std::string make_private_key_pem() {
  const Key key{EVP_EC_gen("P-256")};
  require(key != nullptr, "make a private key");
  const Bio bio{BIO_new(BIO_s_mem())};
  require(bio && PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write the private key");
  return text_of(bio);
}

std::string make_certificate_pem(std::string_view private_key_pem, const SubjectNames& names, WallTime now) {
  const Key key = parse_key(private_key_pem);
  const Certificate certificate{X509_new()};
  require(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1, "make a certificate");
  set_serial_number(certificate.get());
  // An hour back, for clients whose clocks are slow.
  const std::time_t not_before = (now - std::chrono::hours{1}).time_since_epoch().count();
  const std::time_t not_after = (now + kCertificateLife).time_since_epoch().count();
  require(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after) != nullptr &&
              X509_set_pubkey(certificate.get(), key.get()) == 1,
          "fill the certificate");
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* common_name = reinterpret_cast<const unsigned char*>("Causeway, self-signed");
  require(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
              X509_set_issuer_name(certificate.get(), name) == 1,
          "name the certificate");
  add_subject_names(certificate.get(), names);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), NID_ext_key_usage, "serverAuth");
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign the certificate");
  const Bio bio{BIO_new(BIO_s_mem())};
  require(bio && PEM_write_bio_X509(bio.get(), certificate.get()) == 1, "write the certificate");
  return text_of(bio);
}

CertificateFacts inspect_certificate(std::string_view certificate_pem, std::string_view private_key_pem) {
  const Key key = parse_key(private_key_pem);
  const Certificate certificate{PEM_read_bio_X509(reading(certificate_pem).get(), nullptr, nullptr, nullptr)};
  if (!certificate) throw std::runtime_error("it holds no certificate in PEM format");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    throw std::runtime_error("it does not belong to the private key beside it");
  }
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) {
    throw std::runtime_error("it has no readable date of expiry");
  }
  const bool self_issued =
      X509_NAME_cmp(X509_get_subject_name(certificate.get()), X509_get_issuer_name(certificate.get())) == 0;
  return {WallTime{std::chrono::seconds{::timegm(&parts)}}, self_issued};
}

}  // namespace causeway::app
