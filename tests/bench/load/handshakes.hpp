// SPDX-License-Identifier: Apache-2.0
// How fast a server answers Allocate with 401, then with an allocation, and releases that: several clients at once over
// UDP, each starting anew when it is done, from the next port: coturn keeps the old five-tuple for a while.
#pragma once

#include <memory>
#include <vector>

#include "load/datagram_link.hpp"
#include "load/long_term_session.hpp"
#include "load/workload.hpp"

namespace causeway::load {

class Handshakes final : public Workload {
 public:
  Handshakes(const ServerUnderLoad& server, std::size_t clients, const Account& account, std::uint8_t number);
  ~Handshakes() override;
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // Delivered are handshakes; the latency is that of one.
  Tally run(const Pace& pace, std::uint16_t turn) override;

 private:
  enum class Step : std::uint8_t { kIdle, kChallenge, kAllocate, kRelease };
  struct Client {
    std::unique_ptr<DatagramLink> link;
    LongTermSession session;
    Step step = Step::kIdle;
    Clock::time_point started;
  };

  std::unique_ptr<DatagramLink> open_link();
  void begin(Client& client);
  void send(Client& client, Step step);
  void receive(Client& client);
  void finish(Client& client);
  bool poll_once();  // whether anything came
  void restart_silent_ones();
  void finish_those_under_way();  // and none begins

  ServerUnderLoad server_;
  Endpoint local_;  // of the client that began last
  ServerClock server_clock_;
  int epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  bool starting_ = false, measuring_ = false;
  Tally tally_;
};

}  // namespace causeway::load
