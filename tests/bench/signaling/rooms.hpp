// SPDX-License-Identifier: Apache-2.0
// Rooms of two with one server: members who talk, and members who are just there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/paths.hpp"
#include "load/turn.hpp"
#include "signaling/member.hpp"

namespace causeway::load {

struct RoomsPlan {
  bool tls = false;
  std::size_t rooms = 50;    // whose members send candidates to each other
  std::size_t sources = 64;  // addresses that the members come from
};

class Rooms final : public Workload, private Arrivals {
 public:
  // All are in their rooms when it returns; throws std::runtime_error when the server does not let them in. `number`
  // tells the servers of a run apart: their members come from different addresses.
  Rooms(const ServerUnderLoad& server, const RoomsPlan& plan, std::uint8_t number);
  ~Rooms() override;

  Tally run(const Pace& pace, std::uint16_t turn) override { return Turn{paths_, 1, pace, turn}.run(); }

  Paths& paths() noexcept { return paths_; }
  // More members, in rooms of their own, who say nothing.
  std::vector<std::unique_ptr<Member>> idle_members(std::size_t count);
  // Connects it, with what it remembers. Its events come with those of paths().
  std::unique_ptr<Member> connect(Seat seat);

 private:
  void arrived(const Stamp& /*stamp*/) override {}
  void wrong() override {}
  std::vector<std::unique_ptr<Member>> let_in(const std::string& prefix, std::size_t count);
  void look();  // at what the server says, for a moment

  ServerUnderLoad server_;
  std::uint8_t number_;
  std::size_t sources_, connected_ = 0;
  std::unique_ptr<Dialect> dialect_;
  TlsContext tls_context_;
  Paths paths_;
  std::vector<std::unique_ptr<Member>> talkers_;
};

}  // namespace causeway::load
