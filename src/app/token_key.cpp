// SPDX-License-Identifier: Apache-2.0
#include "app/token_key.hpp"

#include <cjose/cjose.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace causeway::app {
namespace {

using nlohmann::json;

constexpr int kRsaBitsMin = 2048;  // RFC 7518 §3.3

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const noexcept { cjose_jws_release(jws); }
};
using Jws = std::unique_ptr<cjose_jws_t, ReleaseJws>;

Jws import_token(std::string_view token) {
  cjose_err error{};
  return Jws{cjose_jws_import(token.data(), token.size(), &error)};
}

std::optional<std::string> header_text(cjose_header_t* header, const char* name) {
  cjose_err error{};
  const char* value = cjose_header_get(header, name, &error);
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

// RFC 7518 §6.1 and §6.2.1.1.
std::string_view key_type_for(std::string_view algorithm) {
  return algorithm.starts_with("HS") ? "oct" : algorithm.starts_with("ES") ? "EC" : "RSA";
}
std::string_view curve_for(std::string_view algorithm) {
  return algorithm == "ES256" ? "P-256" : algorithm == "ES384" ? "P-384" : algorithm == "ES512" ? "P-521" : "";
}

}  // namespace

std::optional<TokenHeader> read_token_header(std::string_view token) {
  const Jws jws = import_token(token);
  if (!jws) return std::nullopt;
  cjose_header_t* header = cjose_jws_get_protected(jws.get());
  cjose_err error{};
  if (char* critical = cjose_header_get_raw(header, "crit", &error)) {
    std::free(critical);
    return std::nullopt;
  }
  return TokenHeader{header_text(header, CJOSE_HDR_ALG).value_or(""), header_text(header, CJOSE_HDR_KID)};
}

void TokenKey::Release::operator()(_cjose_jwk_int* key) const noexcept {
  cjose_jwk_release(key);
}

TokenKey::TokenKey(const std::string& name, std::string id, std::string algorithm, const std::string& jwk)
    : id_(std::move(id)), algorithm_(std::move(algorithm)) {
  const json object = json::parse(jwk, nullptr, false);
  const auto text = [&](const char* key) {
    return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string{};
  };
  if (!object.is_object() || text("kty") != key_type_for(algorithm_) || text("crv") != curve_for(algorithm_)) {
    throw std::runtime_error(name + " is no key for " + algorithm_);
  }
  cjose_err error{};
  key_.reset(cjose_jwk_import(jwk.data(), jwk.size(), &error));
  if (!key_) throw std::runtime_error(name + " is no valid key for " + algorithm_);
  const std::size_t bits = cjose_jwk_get_keysize(key_.get(), &error);
  if (text("kty") == "RSA" && bits < kRsaBitsMin) {
    throw std::runtime_error(name + " is too short: an RSA key needs " + std::to_string(kRsaBitsMin) +
                             " bits at least");
  }
  if (text("kty") == "oct" && bits < std::stoul(algorithm_.substr(2))) {  // RFC 7518 §3.2
    throw std::runtime_error(name + " is too short for " + algorithm_);
  }
  can_sign_ = text("kty") == "oct" || object.contains("d");
}

std::optional<std::string> TokenKey::verify(std::string_view token) const {
  const Jws jws = import_token(token);
  cjose_err error{};
  if (!jws || header_text(cjose_jws_get_protected(jws.get()), CJOSE_HDR_ALG) != algorithm_) return std::nullopt;
  if (!cjose_jws_verify(jws.get(), key_.get(), &error)) return std::nullopt;
  std::uint8_t* payload = nullptr;  // the JWS keeps it
  std::size_t bytes = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &payload, &bytes, &error)) return std::nullopt;
  return std::string{reinterpret_cast<const char*>(payload), bytes};
}

std::string TokenKey::sign(std::string_view payload) const {
  cjose_err error{};
  const std::unique_ptr<cjose_header_t, decltype(&cjose_header_release)> header{cjose_header_new(&error),
                                                                                &cjose_header_release};
  bool fine = header && cjose_header_set(header.get(), CJOSE_HDR_ALG, algorithm_.c_str(), &error);
  if (fine && !id_.empty()) fine = cjose_header_set(header.get(), CJOSE_HDR_KID, id_.c_str(), &error);
  const char* text = nullptr;  // the JWS keeps it
  const auto* octets = reinterpret_cast<const std::uint8_t*>(payload.data());
  const Jws jws{fine ? cjose_jws_sign(key_.get(), header.get(), octets, payload.size(), &error) : nullptr};
  if (!jws || !cjose_jws_export(jws.get(), &text, &error)) throw std::runtime_error("the key cannot sign a token");
  return text;
}

}  // namespace causeway::app
