// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace causeway::net {
namespace {

// RFC 7301 §3.1; the names are those of RFC 7443 and RFC 7301 §6.
constexpr const char* kProtocols = "\x08http/1.1\x09stun.turn\x12stun.nat-discovery";

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int offered_length, void* protocols) {
  const std::string_view ours{static_cast<const char*>(protocols)};
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_length, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned int>(ours.size()), offered, offered_length);
  *out = chosen;
  // No overlap is no reason to refuse: the first octet tells what the client speaks.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int accept_server_name(SSL*, int*, void*) {
  return SSL_TLSEXT_ERR_OK;
}

// Without this OpenSSL asks for the passphrase on the terminal.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

std::runtime_error problem(std::string_view what, const std::filesystem::path& file, std::string_view wrong) {
  return std::runtime_error(std::string(what) + " " + file.string() + ": " + std::string(wrong));
}

void require_readable(std::string_view what, const std::filesystem::path& file) {
  errno = 0;
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::is_directory(status)) throw problem(what, file, "is a directory, not a PEM file");
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw problem(what, file, "is a FIFO, a socket or a device, not a PEM file");
  }
  if (std::FILE* opened = std::fopen(file.c_str(), "rb")) {
    std::fclose(opened);
    return;
  }
  throw problem(what, file, "cannot be read: " + std::generic_category().message(errno));
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

std::string why_no_key(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (text.find("ENCRYPTED") != std::string::npos) {
    return "is encrypted with a passphrase; decrypt it (openssl pkey -in FILE -out PLAIN) and protect the file instead";
  }
  if (text.find("PRIVATE KEY-----") == std::string::npos) return "holds no private key in PEM format";
  return "holds a private key that cannot be used";
}

}  // namespace

void select_protocols(SSL_CTX* context, const char* protocols) {
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<char*>(protocols));  // only read
}

void accept_server_names(SSL_CTX* context) {
  SSL_CTX_set_tlsext_servername_callback(context, accept_server_name);
}

std::string server_name_of(const SSL* ssl) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string{} : std::string{name};
}

void TlsContext::Free::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

TlsContext::TlsContext(const std::filesystem::path& certificate_chain, const std::filesystem::path& private_key)
    : context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_) throw std::runtime_error("OpenSSL cannot make a TLS context (out of memory?)");
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  if (SSL_CTX_set_cipher_list(context, kCiphers) != 1) throw std::runtime_error("OpenSSL lacks the ECDHE AEAD ciphers");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);                           // one read(2) a record instead of two
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets keep the state with the client
  SSL_CTX_set_num_tickets(context, 1);
  select_protocols(context, kProtocols);
  accept_server_names(context);
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);

  require_readable("TLS certificate", certificate_chain);
  require_readable("TLS private key", private_key);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_chain.c_str()) != 1) {
    throw problem("TLS certificate", certificate_chain, "holds no certificate in PEM format that can be used");
  }
  if (SSL_CTX_use_PrivateKey_file(context, private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    // OpenSSL refuses a key that does not belong to the certificate right here.
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                          ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    if (!mismatch) throw problem("TLS private key", private_key, why_no_key(private_key));
    throw problem(
        "TLS private key", private_key,
        "does not belong to the certificate " + certificate_chain.string() + "; name the key it was issued for");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    throw problem("TLS private key", private_key, "does not belong to the certificate " + certificate_chain.string());
  }
  X509* certificate = SSL_CTX_get0_certificate(context);
  is_self_signed_ = (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
  not_before_ = wall_time(X509_get0_notBefore(certificate));
  not_after_ = wall_time(X509_get0_notAfter(certificate));
}

}  // namespace causeway::net
