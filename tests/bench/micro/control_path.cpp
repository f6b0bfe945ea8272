// SPDX-License-Identifier: Apache-2.0
// What the core's step costs for a request, without any system call: the answer to a stranger, Binding, and what a
// client with a password asks for.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/server.hpp"
#include "core_environment.hpp"

namespace causeway::turn {
namespace {

constexpr const char* kRealm = "example.org";
const Endpoint kServer{IpAddress{std::array<std::uint8_t, 4>{203, 0, 113, 1}}, 3478};
const Now kNow{TimePoint{} + std::chrono::hours{1}, WallTime{std::chrono::seconds{1'700'000'000}}};

struct Account {
  std::string username;
  std::string password;
};

class Scene {
 public:
  Scene() {
    ServerOptions options;
    options.relay_addresses.relay = {kServer.address};
    options.limits.unauthenticated_answers_per_second_max = 0;
    auto credentials = std::make_shared<const Credentials>(
        kRealm, std::map<std::string, std::string>{{"user", "password"}}, std::vector<std::string>{"secret"});
    const RealmOptions realm{std::move(credentials), {.allocations_per_user_max = 0}};
    server_ =
        std::make_unique<Server>(options, std::vector{realm}, NonceKey{}, ServerEnvironment{ports_, random_, events_});
  }

  // The octets of one request; an account signs it.
  template <class Fill>
  std::vector<std::uint8_t> build(stun::Method method, const Account* account, Fill fill) const {
    std::array<std::uint8_t, 512> buffer{};
    stun::MessageBuilder message{buffer, method, stun::MessageClass::kRequest,
                                 stun::TransactionId{static_cast<std::uint8_t>(method)}};
    fill(message);
    if (account != nullptr) {
      const NonceSource nonces{NonceKey{}, std::chrono::seconds{3600}};
      message.add_text(stun::AttributeType::kUsername, account->username);
      message.add_text(stun::AttributeType::kRealm, kRealm);
      message.add_text(stun::AttributeType::kNonce, nonces.make(kRealm, client_.five_tuple, kNow.wall));
      message.add_message_integrity(stun::long_term_key_md5(account->username, kRealm, account->password).octets());
    }
    const Bytes bytes = message.finish();
    return {bytes.begin(), bytes.end()};
  }

  // Whether the answer is a success.
  bool ask(std::vector<std::uint8_t>& request) {
    const Outcome outcome = server_->on_client_packet({client_, request}, kNow, reply_);
    const auto* answer = std::get_if<Reply>(&outcome);
    return answer != nullptr && (answer->bytes[0] & 0x01) != 0 && (answer->bytes[1] & 0x10) == 0;
  }

 private:
  EveryPort ports_;
  Counting random_;
  Silent events_;
  ClientRef client_{{{IpAddress{std::array<std::uint8_t, 4>{198, 51, 100, 7}}, 4000}, kServer, Transport::kUdp}, 0};
  ReplyBuffer reply_{};
  std::unique_ptr<Server> server_;
};

void udp(stun::MessageBuilder& message) {
  message.add_u32(stun::AttributeType::kRequestedTransport, 17u << 24);
}

void nothing(stun::MessageBuilder&) {}

void binding(benchmark::State& state) {
  Scene scene;
  auto request = scene.build(stun::Method::kBinding, nullptr, nothing);
  for (auto _ : state)
    if (!scene.ask(request)) return state.SkipWithError("no answer");
}
BENCHMARK(binding);

void challenge(benchmark::State& state) {
  Scene scene;
  auto request = scene.build(stun::Method::kAllocate, nullptr, udp);
  for (auto _ : state)
    if (scene.ask(request)) return state.SkipWithError("no challenge");
}
BENCHMARK(challenge);

void allocate_and_release(benchmark::State& state, const Account& account) {
  Scene scene;
  auto allocate = scene.build(stun::Method::kAllocate, &account, udp);
  auto release = scene.build(stun::Method::kRefresh, &account,
                             [](stun::MessageBuilder& message) { message.add_u32(stun::AttributeType::kLifetime, 0); });
  for (auto _ : state)
    if (!scene.ask(allocate) || !scene.ask(release)) return state.SkipWithError("refused");
}
BENCHMARK_CAPTURE(allocate_and_release, static_user, {"user", "password"});
BENCHMARK_CAPTURE(allocate_and_release, time_limited_user,
                  {make_time_limited_credential("secret", "user", kNow.wall + std::chrono::hours{1}).username,
                   make_time_limited_credential("secret", "user", kNow.wall + std::chrono::hours{1}).password});

void refresh(benchmark::State& state) {
  Scene scene;
  const Account account{"user", "password"};
  auto allocate = scene.build(stun::Method::kAllocate, &account, udp);
  auto request = scene.build(stun::Method::kRefresh, &account, nothing);
  if (!scene.ask(allocate)) return state.SkipWithError("refused");
  for (auto _ : state)
    if (!scene.ask(request)) return state.SkipWithError("refused");
}
BENCHMARK(refresh);

}  // namespace
}  // namespace causeway::turn
