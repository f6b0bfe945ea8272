// SPDX-License-Identifier: Apache-2.0
// Where token keys come from: the configuration itself, PEM files, and files of JWKs.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "app/pem.hpp"
#include "app/token_key.hpp"
#include "causeway/base/base64.hpp"
#include "causeway/base/bytes.hpp"
#include "causeway/base/free_with.hpp"
#include "config/load.hpp"

namespace causeway::app {
namespace {

using nlohmann::json;

using PublicOrPrivateKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

std::string content(const std::filesystem::path& file) {
  auto text = config::read_file(file);
  if (!text) throw std::runtime_error(text.error().front().to_string());
  return *std::move(text);
}

PublicOrPrivateKey read_pem(const std::string& text) {
  const auto read = [&](auto* reader) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                        &BIO_free};
    return PublicOrPrivateKey{reader(bio.get(), nullptr, no_passphrase, nullptr)};
  };
  PublicOrPrivateKey key = read(&PEM_read_bio_PrivateKey);
  return key ? std::move(key) : read(&PEM_read_bio_PUBKEY);
}

// Left-padded with zeros to `octets_min`, as RFC 7518 §6.2.1.2 wants coordinates. Empty: the key has no such number.
std::string number(const EVP_PKEY* key, const char* name, int octets_min = 0) {
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &found) != 1) return {};
  const std::unique_ptr<BIGNUM, decltype(&BN_clear_free)> owned{found, &BN_clear_free};
  std::vector<std::uint8_t> octets(static_cast<std::size_t>(std::max(BN_num_bytes(found), octets_min)));
  BN_bn2binpad(found, octets.data(), static_cast<int>(octets.size()));
  return base64url_encode(octets);
}

// RFC 7518 §6.
json jwk_of(const EVP_PKEY* key) {
  json jwk = json::object();
  const auto add = [&](const char* member, const std::string& value) {
    if (!value.empty()) jwk[member] = value;
  };
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    jwk["kty"] = "RSA";
    add("n", number(key, OSSL_PKEY_PARAM_RSA_N));
    add("e", number(key, OSSL_PKEY_PARAM_RSA_E));
    add("d", number(key, OSSL_PKEY_PARAM_RSA_D));
    add("p", number(key, OSSL_PKEY_PARAM_RSA_FACTOR1));
    add("q", number(key, OSSL_PKEY_PARAM_RSA_FACTOR2));
    add("dp", number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1));
    add("dq", number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2));
    add("qi", number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  } else if (EVP_PKEY_is_a(key, "EC") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    const int octets = (bits + 7) / 8;
    jwk["kty"] = "EC";
    jwk["crv"] = "P-" + std::to_string(bits);
    add("x", number(key, OSSL_PKEY_PARAM_EC_PUB_X, octets));
    add("y", number(key, OSSL_PKEY_PARAM_EC_PUB_Y, octets));
    add("d", number(key, OSSL_PKEY_PARAM_PRIV_KEY, octets));
  }
  return jwk;
}

TokenKey key_of(const config::TokenKey& config, const std::string& name) {
  if (!config.file) {
    const json jwk{{"kty", "oct"}, {"k", base64url_encode(as_bytes(config.secret))}};
    return {name, config.id, config.algorithm, jwk.dump()};
  }
  const std::string where = name + ": " + config.file->string();
  const PublicOrPrivateKey key = read_pem(content(*config.file));
  if (!key) throw std::runtime_error(where + " holds no PEM key, neither a public nor a private one");
  return {where, config.id, config.algorithm, jwk_of(key.get()).dump()};
}

void add_jwk(const json& jwk, const std::string& name, std::vector<TokenKey>& keys) {
  const auto text = [&](const char* key) {
    return jwk.is_object() && jwk.contains(key) && jwk[key].is_string() ? jwk[key].get<std::string>() : std::string{};
  };
  const auto algorithm = text("alg");
  if (text("use") == "enc") return;  // RFC 7517 §4.2: for something else
  if (algorithm.empty()) {
    throw std::runtime_error(name + R"( needs a member "alg": a key is used with one algorithm only)");
  }
  if (algorithm.size() != 5 || std::string_view{"HSRSPSES"}.find(algorithm.substr(0, 2)) % 2 != 0) {
    throw std::runtime_error(name + " is for " + algorithm + ", which this server does not know");
  }
  keys.emplace_back(name, text("kid"), algorithm, jwk.dump());
}

}  // namespace

std::vector<TokenKey> load_token_keys(const config::Tokens& tokens) {
  std::vector<TokenKey> keys;
  for (std::size_t i = 0; i < tokens.keys.size(); ++i)
    keys.push_back(key_of(tokens.keys[i], "signaling.tokens.keys[" + std::to_string(i) + "]"));
  if (!tokens.jwk_file) return keys;

  const std::string name = "signaling.tokens.jwk_file: " + tokens.jwk_file->string();
  const json document = json::parse(content(*tokens.jwk_file), nullptr, false);
  if (!document.is_object()) throw std::runtime_error(name + " is no JSON object");
  const json set = document.contains("keys") ? document["keys"] : json::array({document});  // RFC 7517 §5
  if (!set.is_array()) throw std::runtime_error(name + R"(: "keys" is no list)");
  for (std::size_t i = 0; i < set.size(); ++i)
    add_jwk(set[i], name + ": key " + std::to_string(i + 1), keys);
  if (keys.empty()) throw std::runtime_error(name + " holds no key");
  return keys;
}

}  // namespace causeway::app
