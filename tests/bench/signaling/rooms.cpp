// SPDX-License-Identifier: Apache-2.0
#include "signaling/rooms.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace causeway::load {
namespace {

constexpr std::size_t kEnteringMax = 128;  // at once: fewer than any backlog
constexpr auto kPatience = std::chrono::seconds{60};

}  // namespace

Rooms::Rooms(const ServerUnderLoad& server, const RoomsPlan& plan, std::uint8_t number)
    : server_(server),
      number_(number),
      sources_(plan.sources),
      dialect_(make_dialect(server.kind)),
      tls_context_(plan.tls ? make_tls_context() : nullptr),
      paths_(server),
      talkers_(let_in("talk", 2 * plan.rooms)) {
  for (const auto& member : talkers_)
    paths_.add(*member);
}

Rooms::~Rooms() = default;

std::vector<std::unique_ptr<Member>> Rooms::idle_members(std::size_t count) {
  return let_in("idle", count);
}

std::unique_ptr<Member> Rooms::connect(Seat seat) {
  const auto source = static_cast<std::uint8_t>(1 + connected_++ % sources_);
  const Endpoint local{IpAddress{std::array<std::uint8_t, 4>{127, 1, number_, source}}, 0};
  auto member = std::make_unique<Member>(Door{*dialect_, server_.address, tls_context_.get()}, local, std::move(seat));
  paths_.watch(*member, EPOLLIN | EPOLLOUT | EPOLLET);
  return member;
}

std::vector<std::unique_ptr<Member>> Rooms::let_in(const std::string& prefix, std::size_t count) {
  std::vector<std::unique_ptr<Member>> members;
  const auto deadline = Clock::now() + kPatience;
  for (std::size_t ready = 0; ready < count;) {
    while (members.size() < count && members.size() < ready + kEnteringMax) {
      Seat seat;
      // Members of an earlier run may have lost their places only in name: they can still resume.
      seat.room = prefix + std::to_string(::getpid()) + "-" + std::to_string(members.size() / 2);
      seat.which = static_cast<std::uint8_t>(members.size() % 2);
      members.push_back(connect(std::move(seat)));
    }
    look();
    while (ready < members.size() && members[ready]->can_send())
      ++ready;
    if (ready < members.size() && members[ready]->has_ended())
      throw std::runtime_error(server_.name + " does not let a member in: " + members[ready]->why_it_ended());
    if (Clock::now() > deadline)
      throw std::runtime_error(server_.name + " has let in only " + std::to_string(ready) + " members");
  }
  return members;
}

void Rooms::look() {
  std::array<epoll_event, 128> events{};
  const int count = ::epoll_wait(paths_.epoll(), events.data(), events.size(), 10);
  for (int i = 0; i < count; ++i)
    static_cast<Link*>(events[static_cast<std::size_t>(i)].data.ptr)->receive(*this);
}

}  // namespace causeway::load
