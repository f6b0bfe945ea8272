// SPDX-License-Identifier: Apache-2.0
#include "app/access_tokens.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "causeway/signaling/room.hpp"

namespace causeway::app {
namespace {

using nlohmann::json;
using signaling::AccessClaims;
using signaling::BadToken;
using signaling::ErrorCode;
using signaling::Role;

constexpr std::size_t kTokenBytesMax = 8192;
constexpr std::int64_t kClockSkewSeconds = 30;  // RFC 7519 §4.1.4: no more than a few minutes

BadToken bad(const std::string& why) {
  return {ErrorCode::kBadToken, "The access token is not valid here: " + why};
}

// RFC 7519 §4.1.3: one text, or a list of them.
bool names_audience(const json& claims, const std::optional<std::string>& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return !audience;
  if (!audience) return false;
  if (found->is_array()) return std::ranges::any_of(*found, [&](const json& each) { return each == *audience; });
  return *found == *audience;
}

// Whether the claim is absent or a name such as people choose. Fills `out`.
bool read_name(const json& claims, const char* key, std::string& out) {
  const auto found = claims.find(key);
  if (found == claims.end()) return true;
  if (!found->is_string()) return false;
  out = found->get<std::string>();
  return signaling::is_valid_name(out);
}

Result<AccessClaims, BadToken> read_claims(const json& claims) {
  AccessClaims read;
  if (!claims.contains("room") || !read_name(claims, "room", read.room)) return bad("it has no room.");
  if (!read_name(claims, "sub", read.user)) return bad("its sub is no text of 1 to 128 bytes.");
  if (!read_name(claims, "name", read.name)) return bad("its name is no text of 1 to 128 bytes.");
  if (const auto role = claims.find("role"); role != claims.end()) {
    const auto known = role->is_string() ? role_named(role->get_ref<const std::string&>()) : std::nullopt;
    if (!known) return bad("it has a role that this server does not know.");
    read.role = *known;
  }
  if (const auto most = claims.find("members_max"); most != claims.end()) {
    if (!most->is_number_unsigned() || *most == 0U) return bad("its members_max is no whole number above 0.");
    read.members_max = most->get<std::size_t>();
  }
  return read;
}

}  // namespace

JwtAccess::JwtAccess(const config::Tokens& tokens)
    : use_(!tokens.has_keys() ? signaling::TokenUse::kNone
           : tokens.optional  ? signaling::TokenUse::kOptional
                              : signaling::TokenUse::kRequired),
      audience_(tokens.audience),
      keys_(load_token_keys(tokens)) {}

std::optional<std::string> JwtAccess::verified_payload(std::string_view token) const {
  if (token.size() > kTokenBytesMax) return std::nullopt;
  const auto header = read_token_header(token);
  if (!header) return std::nullopt;
  // `kid` selects among the keys and means nothing else: the algorithm is the key's own.
  const auto is_named = [&](const TokenKey& key) { return header->key_id && key.id() == *header->key_id; };
  const bool selects = std::ranges::any_of(keys_, is_named);
  for (const TokenKey& key : keys_) {
    const bool candidate = selects ? is_named(key) : !header->key_id || key.id().empty();
    if (!candidate || key.algorithm() != header->algorithm) continue;
    if (auto payload = key.verify(token)) return payload;
  }
  return std::nullopt;
}

Result<AccessClaims, BadToken> JwtAccess::verify(std::string_view token, Now now) const {
  if (use_ == signaling::TokenUse::kNone) return signaling::NoAccessTokens{}.verify(token, now);
  const auto payload = verified_payload(token);
  if (!payload) return bad("no key of this server has signed it.");
  const json claims = json::parse(*payload, nullptr, false);
  if (!claims.is_object()) return bad("it has no claims.");
  const auto seconds = [&](const char* key) -> std::optional<double> {
    const auto found = claims.find(key);
    if (found == claims.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();  // RFC 7519 §2: a NumericDate may have a fraction
  };
  const auto wall = static_cast<double>(now.wall.time_since_epoch().count());
  const auto expires = seconds("exp");
  if (!expires) return bad("it has no exp.");
  if (wall >= *expires + kClockSkewSeconds) {
    return BadToken{ErrorCode::kTokenExpired, std::string(signaling::explanation(ErrorCode::kTokenExpired))};
  }
  const auto begins = seconds("nbf");
  if (claims.contains("nbf") && (!begins || wall < *begins - kClockSkewSeconds)) return bad("its time has not come.");
  if (!names_audience(claims, audience_)) return bad("it is for somebody else (aud).");
  return read_claims(claims);
}

std::string make_access_token(const TokenKey& key, const AccessClaims& claims,
                              const std::optional<std::string>& audience, WallTime expires_at) {
  json object{
      {"room", claims.room}, {"role", signaling::name(claims.role)}, {"exp", expires_at.time_since_epoch().count()}};
  if (!claims.user.empty()) object["sub"] = claims.user;
  if (!claims.name.empty()) object["name"] = claims.name;
  if (claims.members_max) object["members_max"] = *claims.members_max;
  if (audience) object["aud"] = *audience;
  return key.sign(object.dump());
}

std::optional<Role> role_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < signaling::kRoles; ++i) {
    if (signaling::name(static_cast<Role>(i)) == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace causeway::app
