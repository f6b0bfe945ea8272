// SPDX-License-Identifier: Apache-2.0
// One member of a room of two: the candidates that it sends arrive at the other one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "load/link.hpp"
#include "signaling/dialect.hpp"
#include "signaling/web_socket.hpp"

namespace causeway::load {

struct Door {
  const Dialect& dialect;
  Endpoint server;
  SSL_CTX* tls = nullptr;
};

class Member final : public Link {
 public:
  // Begins to connect and to join.
  Member(const Door& door, const Endpoint& local, Seat seat);

  const Seat& seat() const noexcept { return seat_; }
  bool is_joined() const noexcept { return is_joined_; }
  bool is_resumed() const noexcept { return is_resumed_; }
  bool can_send() const { return is_joined_ && door_.dialect.can_send(seat_); }
  bool has_ended() const noexcept { return socket_.state() == WebSocket::State::kEnded; }
  const std::string& why_it_ended() const noexcept { return socket_.reason(); }

  bool send(Stamp first, std::size_t packets) override;
  void receive(Arrivals& arrivals) override;

 private:
  void greet();
  void on_text(std::string_view text, Arrivals& arrivals);
  void prepare();

  Door door_;
  Seat seat_;
  WebSocket socket_;
  bool has_greeted_ = false, is_joined_ = false, is_resumed_ = false;
  std::vector<std::uint8_t> frame_;  // with a candidate, once one was sent
  std::size_t stamp_at_ = 0;         // in its text
};

}  // namespace causeway::load
