// SPDX-License-Identifier: Apache-2.0
#include "config/signaling_section.hpp"

#include <algorithm>

#include "config/text_rules.hpp"

namespace causeway::config {
namespace {

using nlohmann::json;

constexpr std::size_t kTokenKeysMax = 16;

TokenKey read_token_key(ObjectReader& object) {
  TokenKey key;
  object.text("id", key.id, kTokenTextRule);
  object.require("algorithm");
  object.text("algorithm", key.algorithm, kTokenAlgorithmRule);
  object.text("secret", key.secret, kTokenSecretRule);
  object.file("file", key.file);
  const bool symmetric = key.algorithm.starts_with("HS");
  if (symmetric && (object.find("secret") == nullptr || key.file)) {
    object.fail("algorithm", key.algorithm + R"( takes a "secret" and no "file")");
  } else if (!symmetric && !key.algorithm.empty() && (object.find("secret") != nullptr || !key.file)) {
    object.fail("algorithm", key.algorithm + R"( takes a "file" with a PEM key and no "secret")");
  }
  // RFC 7518 §3.2: no shorter than the hash.
  const std::size_t bits = key.algorithm.size() == 5 ? std::stoul(key.algorithm.substr(2)) : 0;
  if (symmetric && !key.secret.empty() && key.secret.size() * 8 < bits) {
    object.fail("secret", "must have " + std::to_string(bits / 8) + " bytes at least for " + key.algorithm);
  }
  return key;
}

void read_tokens(ObjectReader& object, Tokens& out) {
  if (const json* values = object.list_of("keys", kTokenKeysMax)) {
    out.keys.clear();
    for (std::size_t i = 0; i < values->size(); ++i) {
      const std::string path = element_path(object.path_of("keys"), i);
      ObjectReader::read(object.reading(), (*values)[i], path,
                         [&](ObjectReader& key) { out.keys.push_back(read_token_key(key)); });
    }
  }
  object.file("jwk_file", out.jwk_file);
  object.flag("optional", out.optional);
  object.text("audience", out.audience, kTokenTextRule);
  if (!out.has_keys() && (out.optional || out.audience)) {
    object.reading().fail(object.path(), R"(needs "keys" or "jwk_file" where it has "optional" or "audience")");
  }
}

}  // namespace

void read_signaling(ObjectReader& object, Signaling& out) {
  object.list("origins", out.origins, 1000, kOriginRule);
  object.number("room_members_max", out.room_members_max, 2, 1000);
  object.number("rooms_max", out.rooms_max, 1, 1'000'000);
  object.number("sessions_max", out.sessions_max, 1, 1'000'000);
  object.number("sessions_per_address", out.sessions_per_address, 0, 1'000'000);
  object.number("messages_per_second", out.messages_per_second, 0, 1'000'000);
  object.number("bytes_per_second", out.bytes_per_second, 0, 1'000'000'000);
  if (out.bytes_per_second != 0 && out.bytes_per_second < 1024) {
    object.fail("bytes_per_second", "must be 0 or 1024 at least, but is " + std::to_string(out.bytes_per_second));
  }
  object.number("message_bytes_max", out.message_bytes_max, 1024, 1024 * 1024);
  object.number("queue_bytes_max", out.queue_bytes_max, 1024, 64 * 1024 * 1024);
  // A message arrives in an envelope, and the queue must take it whole.
  if (out.queue_bytes_max < 2 * out.message_bytes_max) {
    object.fail("queue_bytes_max", "must be twice message_bytes_max (" + std::to_string(out.message_bytes_max) +
                                       ") at least, but is " + std::to_string(out.queue_bytes_max));
  }
  object.seconds("resume_grace_seconds", out.resume_grace_seconds, 0, 300);
  object.seconds("ice_ttl_seconds", out.ice_ttl_seconds, 10, 604'800);
  object.flag("end_allocations_with_member", out.end_allocations_with_member);
  object.flag("waiting_room", out.waiting_room);
  object.section("tokens", [&](ObjectReader& tokens) { read_tokens(tokens, out.tokens); });
}

}  // namespace causeway::config
