// SPDX-License-Identifier: Apache-2.0
// Somebody who uses the relay for hours: begins sessions, calls others, hangs up or crashes, and comes back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "party.hpp"
#include "turn_session.hpp"

namespace causeway::simulation {

class TurnClient : public Party {
 public:
  struct Habits {
    IpAddress inside;
    std::string user;  // static when the rules know a password, else with time-limited credentials
    turn::Transport transport = turn::Transport::kUdp;
    AddressFamily relay_family = AddressFamily::kIPv4;
    bool dual = false;
    bool mobility = false;
    bool sha256 = false;
    bool channels = false;
    bool even_ports = false;
    Duration keepalive{};
    Duration pause_between_bursts{};
  };
  TurnClient(World& world, std::uint32_t number, const Habits& habits);

  std::optional<Endpoint> candidate(AddressFamily family) const override;
  bool owns_candidate() const override { return false; }  // another client may get the relayed port next
  void invite(const Endpoint& from, TimePoint until) override;

  void begin();
  // Its NAT restarts.
  void lose_path();
  // The client's program ends in the midst of everything.
  void crash();
  void hang_up();

 private:
  struct Call {
    Endpoint remote;
    std::uint32_t addressee = 0;
    TimePoint until;
  };
  SessionOptions session_options();
  void on_allocated();
  void move_now_and_then(const std::weak_ptr<TurnSession>& session);
  void on_data(const Endpoint& from, Bytes payload);
  void begin_again(Duration after);
  void call_somebody();
  void talk(const std::shared_ptr<Call>& call, const std::weak_ptr<TurnSession>& session);
  void misbehave_now_and_then(const std::weak_ptr<TurnSession>& session);

  World& world_;
  Habits habits_;
  std::uint16_t next_port_ = 20000;
  std::shared_ptr<TurnSession> session_;
  std::vector<std::shared_ptr<Call>> calls_;
};

}  // namespace causeway::simulation
