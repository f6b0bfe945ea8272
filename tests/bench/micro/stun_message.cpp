// SPDX-License-Identifier: Apache-2.0
// What a STUN message costs to read, to write and to prove.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"

namespace causeway::stun {
namespace {

const LongTermKey& key() {
  static const LongTermKey key = long_term_key_md5("user", "example.org", "password");
  return key;
}

Bytes write_request(MutableBytes buffer, bool with_integrity) {
  MessageBuilder message{buffer, Method::kAllocate, MessageClass::kRequest, TransactionId{1, 2, 3}};
  message.add_u32(AttributeType::kRequestedTransport, 17u << 24);
  message.add_text(AttributeType::kUsername, "1700000000:user");
  message.add_text(AttributeType::kRealm, "example.org");
  message.add_text(AttributeType::kNonce, "obMatJos2AAAB7E4jvFPlFcZGvbn7vLC");
  if (with_integrity) message.add_message_integrity(key().octets());
  return message.finish();
}

void parse_request(benchmark::State& state) {
  std::array<std::uint8_t, 512> buffer{};
  const Bytes bytes = write_request(buffer, true);
  for (auto _ : state) {
    const auto message = MessageView::parse(bytes);
    if (!message) return state.SkipWithError("not read");
    benchmark::DoNotOptimize(message->find(AttributeType::kUsername));
    benchmark::DoNotOptimize(message->find(AttributeType::kNonce));
    benchmark::DoNotOptimize(message->find(AttributeType::kMessageIntegrity));
  }
}
BENCHMARK(parse_request);

void build_request(benchmark::State& state) {
  std::array<std::uint8_t, 512> buffer{};
  for (auto _ : state)
    benchmark::DoNotOptimize(write_request(buffer, false));
}
BENCHMARK(build_request);

// HMAC-SHA1 with a key that is made ready for each message.
void check_message_integrity(benchmark::State& state) {
  std::array<std::uint8_t, 512> buffer{};
  const auto message = MessageView::parse(write_request(buffer, true));
  for (auto _ : state)
    if (!check_message_integrity(*message, key().octets())) return state.SkipWithError("not authentic");
}
BENCHMARK(check_message_integrity);

// The same with a key that was made ready once.
void keyed_hmac_sha1(benchmark::State& state) {
  std::array<std::uint8_t, 512> buffer{};
  const Bytes bytes = write_request(buffer, false);
  const HmacSha1 hmac{key().octets()};
  for (auto _ : state)
    benchmark::DoNotOptimize(hmac({bytes}));
}
BENCHMARK(keyed_hmac_sha1);

void fingerprint(benchmark::State& state) {
  std::array<std::uint8_t, 512> buffer{};
  const Bytes bytes = write_request(buffer, true);
  for (auto _ : state)
    benchmark::DoNotOptimize(fingerprint_of(bytes));
}
BENCHMARK(fingerprint);

}  // namespace
}  // namespace causeway::stun
