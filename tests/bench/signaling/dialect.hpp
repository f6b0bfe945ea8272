// SPDX-License-Identifier: Apache-2.0
// How the members of a room of two talk with one kind of server, until they are in their room and afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::load {

// A member's place, and what it remembers of its server.
struct Seat {
  std::string room;
  std::uint8_t which = 0;   // 0 or 1
  std::string self, other;  // ids of the two, where the server gives some
  std::string resume_token;
  std::uint64_t seq = 0;  // of the last message
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string target(const Seat& seat) const = 0;  // of the upgrade request
  virtual std::string greeting(const Seat& /*seat*/) const { return {}; }

  struct Step {
    bool is_joined = false;
    bool is_resumed = false;  // the server remembered the member
    std::string say{};        // empty: nothing
  };
  // A text that comes before the member is in its room.
  virtual Step enter(std::string_view text, Seat& seat) const = 0;
  // A later one that is no candidate. Returns what to say.
  virtual std::string answer(std::string_view /*text*/, Seat& /*seat*/) const { return {}; }
  // A later one of either kind, at little cost.
  virtual void note(std::string_view /*text*/, Seat& /*seat*/) const {}
  // Whether the member can send yet: whether it knows to whom.
  virtual bool can_send(const Seat& /*seat*/) const { return true; }
  virtual std::string candidate(const Seat& seat, std::string_view value) const = 0;
};

// "" or "causeway"; "ws", tests/bench/others/ws.mjs; "socket.io"; "peerjs". Throws std::invalid_argument.
std::unique_ptr<Dialect> make_dialect(const std::string& kind);

}  // namespace causeway::load
