// SPDX-License-Identifier: Apache-2.0
// Who takes part in calls: clients of the server and peers without one. Signaling between them is always faithful.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <vector>

#include "event_queue.hpp"
#include "model.hpp"
#include "network.hpp"
#include "random.hpp"

namespace causeway::simulation {

class Party {
 public:
  explicit Party(std::uint32_t number) : number_(number) {}
  virtual ~Party() = default;
  std::uint32_t number() const noexcept { return number_; }

  // Where packets of this family for it go; nullopt when it cannot be reached so now.
  virtual std::optional<Endpoint> candidate(AddressFamily family) const = 0;
  // Whether only its own packets arrive there, so that one meant for another is a fault of the server.
  virtual bool owns_candidate() const = 0;
  // Somebody will write to it from there until then.
  virtual void invite(const Endpoint& from, TimePoint until) = 0;

 private:
  std::uint32_t number_;
};

// What the parties of one world share.
struct World {
  EventQueue queue;
  Random random;
  Rules rules;
  LinkQuality quality;
  Network network;
  std::map<AddressFamily, IpAddress> server;
  std::vector<Party*> parties;
  std::vector<std::pair<std::string, Octets>> reservations;  // username and token, told by one client to another
  bool ending = false;                                       // nobody begins anything new
  bool behaving_clients_lose_nothing = false;                // the network is good enough for the RFC's retransmissions
  std::uint32_t next_serial = 1;
  std::ostream* trace = nullptr;

  struct Statistics {
    std::uint64_t sessions = 0, crashes = 0, rebindings = 0, lost_to_rebinding = 0, timeouts = 0, calls = 0;
    std::uint64_t data_at_peers = 0, data_at_clients = 0;
  } statistics;

  explicit World(std::uint64_t seed);
};

}  // namespace causeway::simulation
