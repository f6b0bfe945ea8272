// SPDX-License-Identifier: Apache-2.0
#include "load/handshakes.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "causeway/stun/attributes.hpp"
#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

constexpr auto kSilenceMax = std::chrono::milliseconds{500};
constexpr std::uint16_t kPortMin = 10'000;

}  // namespace

Handshakes::Handshakes(const ServerUnderLoad& server, std::size_t clients, const Account& account, std::uint8_t number)
    : server_(server),
      local_(loopback(static_cast<std::uint8_t>(10 + number))),
      server_clock_(server),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  for (std::size_t i = 0; i < clients; ++i)
    clients_.push_back(std::make_unique<Client>(Client{nullptr, LongTermSession{account}, Step::kIdle, {}}));
}

Handshakes::~Handshakes() {
  ::close(epoll_);
}

Tally Handshakes::run(const Pace& pace, std::uint16_t) {
  auto now = Clock::now(), last = now;
  TurnClock clock{server_clock_, pace, now};
  starting_ = true;
  for (const auto& client : clients_)
    begin(*client);
  for (auto phase = clock.phase(now); phase != TurnClock::Phase::kOver; phase = clock.phase(now = Clock::now())) {
    if (phase == TurnClock::Phase::kMeasured && !measuring_) {
      measuring_ = true;
      tally_ = {};
    }
    if (poll_once()) last = now;
    if (now - last > kSilenceMax) restart_silent_ones(), last = now;
  }
  tally_.cpu_nanoseconds = clock.cpu_nanoseconds();
  tally_.wall_nanoseconds = clock.wall_nanoseconds();
  measuring_ = starting_ = false;
  finish_those_under_way();
  return tally_;
}

void Handshakes::finish_those_under_way() {
  const auto is_idle = [](const auto& client) { return client->step == Step::kIdle; };
  auto now = Clock::now(), last = now;
  for (; now - last < kSilenceMax && !std::ranges::all_of(clients_, is_idle); now = Clock::now())
    if (poll_once()) last = now;
}

bool Handshakes::poll_once() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i)
    receive(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
  return count > 0;
}

// On the next port that no other program has, by a wildcard socket for one.
std::unique_ptr<DatagramLink> Handshakes::open_link() {
  for (;;) {
    const bool is_last = local_.port < kPortMin || local_.port == 65535;
    local_.port = is_last ? kPortMin : static_cast<std::uint16_t>(local_.port + 1);
    try {
      return std::make_unique<DatagramLink>(local_);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::address_in_use) throw;
    }
  }
}

void Handshakes::begin(Client& client) {
  client.link = open_link();
  client.link->connect(server_.address);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &client;
  check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.link->descriptor(), &event), "epoll_ctl");
  client.started = Clock::now();
  send(client, Step::kChallenge);
}

void Handshakes::send(Client& client, Step step) {
  client.step = step;
  RequestBuffer buffer{};
  const bool release = step == Step::kRelease;
  const Bytes request =
      client.session.request(buffer, release ? stun::Method::kRefresh : stun::Method::kAllocate,
                             step == Step::kChallenge, [&](stun::MessageBuilder& message) {
                               if (release)
                                 message.add_u32(stun::AttributeType::kLifetime, 0);
                               else
                                 message.add_u32(stun::AttributeType::kRequestedTransport, kRequestedUdp);
                             });
  ++tally_.sent;
  if (::send(client.link->descriptor(), request.data(), request.size(), MSG_DONTWAIT) < 0) ++tally_.refused;
}

void Handshakes::receive(Client& client) {
  std::array<std::uint8_t, 2048> buffer{};
  const auto bytes = ::recv(client.link->descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (bytes <= 0) return;
  const auto reply = stun::MessageView::parse(Bytes{buffer}.first(static_cast<std::size_t>(bytes)));
  if (!reply || reply->transaction_id() != client.session.last_id()) return;  // of one that was started anew
  const auto answer = client.session.judge(*reply);
  if (answer == LongTermSession::Answer::kChallenge && client.step != Step::kRelease)
    return send(client, Step::kAllocate);
  if (answer == LongTermSession::Answer::kSuccess && client.step == Step::kAllocate)
    return send(client, Step::kRelease);
  if (answer != LongTermSession::Answer::kSuccess) ++tally_.wrong;
  finish(client);
}

void Handshakes::finish(Client& client) {
  if (measuring_ && client.step == Step::kRelease) {
    ++tally_.delivered;
    tally_.latency.add(static_cast<std::uint32_t>(nanoseconds(Clock::now() - client.started)));
  }
  if (starting_)
    begin(client);
  else
    client.step = Step::kIdle;
}

void Handshakes::restart_silent_ones() {
  for (const auto& client : clients_) {
    ++tally_.lost;
    begin(*client);
  }
}

}  // namespace causeway::load
