// SPDX-License-Identifier: Apache-2.0
// Access tokens: what verifies them, and everything that must not.
#include "app/access_tokens.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "causeway/base/base64.hpp"
#include "causeway/base/bytes.hpp"
#include "temporary_folder.hpp"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using signaling::AccessClaims;
using signaling::ErrorCode;
using signaling::Role;
using testing::HasSubstr;

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kOtherSecret = "fedcba9876543210fedcba9876543210";
constexpr std::int64_t kNow = 1'800'000'000;

std::string jwk_of_secret(const std::string& secret) {
  return json{{"kty", "oct"}, {"k", base64url_encode(as_bytes(secret))}}.dump();
}

config::Tokens with_secret(const std::string& id = "") {
  config::Tokens tokens;
  tokens.keys.push_back({id, "HS256", kSecret, {}});
  return tokens;
}

json claims() {
  return {{"room", "tea"}, {"exp", kNow + 60}};
}

std::string signed_with(const std::string& secret, const json& payload, const std::string& id = "",
                        const std::string& algorithm = "HS256") {
  return TokenKey{"key", id, algorithm, jwk_of_secret(secret)}.sign(payload.dump());
}

Result<AccessClaims, signaling::BadToken> verify(const config::Tokens& tokens, const std::string& token) {
  return JwtAccess{tokens}.verify(token, Now{{}, WallTime{std::chrono::seconds{kNow}}});
}

bool accepts(const config::Tokens& tokens, const std::string& token) {
  return verify(tokens, token).has_value();
}
bool accepts(const json& payload) {
  return accepts(with_secret(), signed_with(kSecret, payload));
}

std::string encoded(const std::string& text) {
  return base64url_encode(as_bytes(text));
}

class AccessTokensTest : public testing::Test {
 protected:
  // Two PEM files, by openssl(1): the private key and its public part.
  std::pair<std::filesystem::path, std::filesystem::path> key_pair(const std::string& name,
                                                                   const std::string& options) {
    const auto private_key = folder_.path() / (name + ".key");
    const auto public_key = folder_.path() / (name + ".pem");
    run("openssl genpkey " + options + " -out " + private_key.string());
    run("openssl pkey -pubout -in " + private_key.string() + " -out " + public_key.string());
    return {private_key, public_key};
  }
  static void run(const std::string& command) {
    ASSERT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
  }
  std::filesystem::path file(const std::string& name, const std::string& text) {
    std::ofstream{folder_.path() / name} << text;
    return folder_.path() / name;
  }

  TemporaryFolder folder_;
};

TEST_F(AccessTokensTest, VerifiesTheTokenOfRfc7515) {
  // RFC 7515 appendix A.1: its key, and the token made with it.
  const TokenKey key{
      "key", "", "HS256",
      R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})"};
  const auto payload = key.verify(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(payload);
  EXPECT_THAT(*payload, HasSubstr("\"joe\""));
}

TEST_F(AccessTokensTest, ReadsTheClaims) {
  json all = claims();
  all.update({{"sub", "u1"}, {"name", "Ada"}, {"role", "moderator"}, {"members_max", 4}, {"more", {1, 2}}});
  const auto read = verify(with_secret(), signed_with(kSecret, all));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->room, "tea");
  EXPECT_EQ(read->user, "u1");
  EXPECT_EQ(read->name, "Ada");
  EXPECT_EQ(read->role, Role::kModerator);
  EXPECT_EQ(read->members_max, 4U);
  EXPECT_EQ(verify(with_secret(), signed_with(kSecret, claims()))->role, Role::kMember);
}

TEST_F(AccessTokensTest, RefusesClaimsThatAreNone) {
  const auto with = [](const char* key, const json& value) {
    json changed = claims();
    changed[key] = value;
    return changed;
  };
  EXPECT_TRUE(accepts(claims()));
  for (const json& wrong :
       {json::object(), json::array(), json("text"), json{{"room", "tea"}}, json{{"exp", kNow + 60}}, with("room", 1),
        with("room", ""), with("exp", "1900000000"), with("exp", nullptr), with("role", "king"), with("role", 1),
        with("sub", 1), with("sub", ""), with("name", "a\nb"), with("members_max", 0), with("members_max", -1),
        with("members_max", "4"), with("nbf", "soon"), with("aud", "somebody")}) {
    EXPECT_FALSE(accepts(wrong)) << wrong;
  }
  const TokenKey key{"key", "", "HS256", jwk_of_secret(kSecret)};
  EXPECT_FALSE(accepts(with_secret(), key.sign("no JSON")));
}

TEST_F(AccessTokensTest, IsGoodForItsTimeAndTheSkewOfClocks) {
  const auto at = [](const char* key, std::int64_t seconds) {
    json changed = claims();
    changed[key] = kNow + seconds;
    return verify(with_secret(), signed_with(kSecret, changed));
  };
  EXPECT_TRUE(at("exp", -29));
  EXPECT_EQ(at("exp", -30).error().code, ErrorCode::kTokenExpired);
  EXPECT_TRUE(at("nbf", 30));
  EXPECT_EQ(at("nbf", 31).error().code, ErrorCode::kBadToken);
  json fraction = claims();
  fraction["exp"] = static_cast<double>(kNow) + 0.5;
  EXPECT_TRUE(accepts(fraction));
}

TEST_F(AccessTokensTest, KnowsWhomItIsFor) {
  config::Tokens tokens = with_secret();
  tokens.audience = "call";
  const auto for_whom = [&](const json& audience) {
    json changed = claims();
    changed["aud"] = audience;
    return accepts(tokens, signed_with(kSecret, changed));
  };
  EXPECT_TRUE(for_whom("call"));
  EXPECT_TRUE(for_whom({"shop", "call"}));
  EXPECT_FALSE(for_whom("shop"));
  EXPECT_FALSE(for_whom(json::array()));
  EXPECT_FALSE(accepts(tokens, signed_with(kSecret, claims())));
}

TEST_F(AccessTokensTest, AnythingElseIsNoToken) {
  const std::string good = signed_with(kSecret, claims());
  const std::string header = good.substr(0, good.find('.'));
  const std::string body = good.substr(0, good.rfind('.'));
  const std::string signature = good.substr(good.rfind('.') + 1);
  std::string other_signature = signature;
  other_signature[5] = other_signature[5] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(accepts(with_secret(), good));
  for (const std::string& token : {
           std::string{},
           std::string{"."},
           std::string{".."},
           std::string{"..."},
           std::string{"a.b.c"},
           body,
           body + ".",
           good + ".",
           good + ".x",
           "." + body,
           body + "." + other_signature,
           body + "." + signature.substr(0, 20),
           header + "." + encoded(R"({"room":"*","exp":9999999999})") + "." + signature,
           signed_with(kOtherSecret, claims()),
           good + std::string(9000, 'x'),
           std::string("\0\xff", 2),
       }) {
    EXPECT_FALSE(accepts(with_secret(), token)) << token.substr(0, 200);
  }
}

TEST_F(AccessTokensTest, TheAlgorithmIsThatOfTheKey) {
  const std::string payload = encoded(claims().dump());
  for (const char* algorithm : {"none", "None", "NONE", "", "RS256", "HS512"}) {
    const std::string body = encoded(json{{"alg", algorithm}}.dump()) + "." + payload;
    EXPECT_FALSE(accepts(with_secret(), body + ".")) << algorithm;
    EXPECT_FALSE(accepts(with_secret(), body + "." + encoded("signature"))) << algorithm;
  }
  const std::string long_secret = kSecret + kSecret;
  EXPECT_FALSE(accepts(with_secret(), signed_with(long_secret, claims(), "", "HS512")));

  // The public key as if it were the secret of an HMAC.
  const auto [private_key, public_key] = key_pair("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
  config::Tokens tokens;
  tokens.keys.push_back({"", "RS256", "", public_key});
  std::ifstream stream{public_key};
  const std::string pem{std::istreambuf_iterator<char>{stream}, {}};
  EXPECT_FALSE(accepts(tokens, signed_with(pem, claims())));
}

TEST_F(AccessTokensTest, WhatHasToBeUnderstoodIsRefused) {
  const std::string good = signed_with(kSecret, claims());
  const std::string rest = good.substr(good.find('.'));
  EXPECT_TRUE(read_token_header(good));
  EXPECT_FALSE(read_token_header(encoded(R"({"alg":"HS256","crit":["b64"],"b64":false})") + rest));
}

TEST_F(AccessTokensTest, KeysOfFilesSignAndVerify) {
  const std::pair<const char*, const char*> kinds[] = {
      {"RS256", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"},
      {"PS256", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"},
      {"ES256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"},
      {"ES512", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"},
  };
  for (const auto& [algorithm, options] : kinds) {
    const auto [private_key, public_key] = key_pair(algorithm, options);
    config::Tokens of_application;
    of_application.keys.push_back({"k", algorithm, "", private_key});
    config::Tokens of_server;
    of_server.keys.push_back({"k", algorithm, "", public_key});
    const std::vector<TokenKey> keys = load_token_keys(of_application);
    ASSERT_TRUE(keys.front().can_sign());
    EXPECT_FALSE(load_token_keys(of_server).front().can_sign());
    const std::string token = keys.front().sign(claims().dump());
    EXPECT_TRUE(accepts(of_server, token)) << algorithm;
    EXPECT_FALSE(accepts(with_secret(), token)) << algorithm;
  }
}

TEST_F(AccessTokensTest, AKeyThatDoesNotFitIsAClearError) {
  const auto error_of = [](const config::Tokens& tokens) -> std::string {
    try {
      load_token_keys(tokens);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "none";
  };
  const auto with_file = [](const char* algorithm, const std::filesystem::path& path) {
    config::Tokens tokens;
    tokens.keys.push_back({"", algorithm, "", path});
    return tokens;
  };
  const auto with_jwks = [&](const std::string& text) {
    config::Tokens tokens;
    tokens.jwk_file = file("keys.json", text);
    return tokens;
  };
  const auto [ec, ec_public] = key_pair("ec", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
  const auto [small, small_public] = key_pair("small", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024");
  const auto [ed, ed_public] = key_pair("ed", "-algorithm ED25519");
  EXPECT_THAT(error_of(with_file("RS256", ec)), HasSubstr("is no key for RS256"));
  EXPECT_THAT(error_of(with_file("ES384", ec)), HasSubstr("is no key for ES384"));
  EXPECT_THAT(error_of(with_file("ES256", ed_public)), HasSubstr("is no key for ES256"));
  EXPECT_THAT(error_of(with_file("RS256", small)), HasSubstr("too short"));
  EXPECT_THAT(error_of(with_file("ES256", file("no.pem", "no key"))), HasSubstr("holds no PEM key"));
  EXPECT_THAT(error_of(with_file("ES256", folder_.path() / "absent.pem")), HasSubstr("cannot be read"));
  EXPECT_THAT(error_of(with_jwks("no")), HasSubstr("no JSON object"));
  EXPECT_THAT(error_of(with_jwks(R"({"keys":1})")), HasSubstr("is no list"));
  EXPECT_THAT(error_of(with_jwks(R"({"keys":[]})")), HasSubstr("holds no key"));
  EXPECT_THAT(error_of(with_jwks(R"({"keys":[{"kty":"oct","k":"AAAA"}]})")), HasSubstr("needs a member \"alg\""));
  EXPECT_THAT(error_of(with_jwks(R"({"kty":"oct","k":"AAAA","alg":"none"})")), HasSubstr("does not know"));
  EXPECT_THAT(error_of(with_jwks(R"({"kty":"oct","k":"AAAA","alg":"HS256"})")), HasSubstr("too short"));
  EXPECT_THAT(error_of(with_jwks(R"({"kty":"RSA","n":"!","e":"AQAB","alg":"RS256"})")), HasSubstr("RS256"));
}

TEST_F(AccessTokensTest, AFileHoldsOneKeyOrASet) {
  const json old_key{{"kty", "oct"}, {"k", encoded(kSecret)}, {"alg", "HS256"}, {"kid", "old"}};
  const json new_key{{"kty", "oct"}, {"k", encoded(kOtherSecret)}, {"alg", "HS256"}, {"kid", "new"}};
  config::Tokens one;
  one.jwk_file = file("one.json", old_key.dump());
  EXPECT_TRUE(accepts(one, signed_with(kSecret, claims(), "old")));
  const json other_use{{"kty", "RSA"}, {"use", "enc"}};
  config::Tokens set;
  set.jwk_file = file("set.json", json{{"keys", {other_use, new_key, old_key}}}.dump());
  EXPECT_TRUE(accepts(set, signed_with(kSecret, claims(), "old")));
  EXPECT_TRUE(accepts(set, signed_with(kOtherSecret, claims(), "new")));
  EXPECT_TRUE(accepts(set, signed_with(kOtherSecret, claims()))) << "no kid: any of them";
}

TEST_F(AccessTokensTest, KidOnlySelects) {
  config::Tokens tokens;
  tokens.keys = {{"a", "HS256", kSecret, {}}, {"b", "HS256", kOtherSecret, {}}};
  EXPECT_TRUE(accepts(tokens, signed_with(kOtherSecret, claims(), "b")));
  EXPECT_FALSE(accepts(tokens, signed_with(kOtherSecret, claims(), "a")));
  EXPECT_FALSE(accepts(tokens, signed_with(kSecret, claims(), "unknown")));
  tokens.keys.push_back({"", "HS256", "a third secret, a third secret, a third", {}});
  EXPECT_TRUE(accepts(tokens, signed_with("a third secret, a third secret, a third", claims(), "unknown")))
      << "a key without an id takes what names no other";
}

TEST_F(AccessTokensTest, MakesWhatItAccepts) {
  config::Tokens tokens = with_secret("2026");
  tokens.audience = "call";
  const std::vector<TokenKey> keys = load_token_keys(tokens);
  const AccessClaims wanted{"u1", "Ann", "tea", Role::kListener, 3};
  const auto token =
      make_access_token(keys.front(), wanted, tokens.audience, WallTime{std::chrono::seconds{kNow + 60}});
  const auto read = verify(tokens, token);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->user, wanted.user);
  EXPECT_EQ(read->name, wanted.name);
  EXPECT_EQ(read->room, wanted.room);
  EXPECT_EQ(read->role, wanted.role);
  EXPECT_EQ(read->members_max, wanted.members_max);
}

TEST_F(AccessTokensTest, KeysDecideHowTokensAreUsed) {
  EXPECT_EQ(JwtAccess{config::Tokens{}}.use(), signaling::TokenUse::kNone);
  EXPECT_FALSE(accepts(config::Tokens{}, signed_with(kSecret, claims())));
  config::Tokens tokens = with_secret();
  EXPECT_EQ(JwtAccess{tokens}.use(), signaling::TokenUse::kRequired);
  tokens.optional = true;
  EXPECT_EQ(JwtAccess{tokens}.use(), signaling::TokenUse::kOptional);
}

}  // namespace
}  // namespace causeway::app
