// SPDX-License-Identifier: Apache-2.0
// Owns the data connections of all TCP relays (RFC 6062) and finds them by their id and by their relay. Its owner
// bounds it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "causeway/base/random.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/turn/data_connection.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::turn {

class ConnectionTable {
 public:
  explicit ConnectionTable(std::optional<WorkerIndex> worker = std::nullopt) noexcept : worker_(worker) {}

  std::size_t size() const noexcept { return by_id_.size(); }

  // Chooses the connection's id and wakes up at `deadline`.
  DataConnection& insert(std::unique_ptr<DataConnection> connection, TimePoint deadline, RandomSource& random);
  void remove(ConnectionId id) noexcept;

  DataConnection* find(ConnectionId id) const noexcept;
  DataConnection* find(RelayId relay, const Endpoint& peer) const noexcept;
  DataConnection* any_of(RelayId relay) const noexcept;
  std::vector<ConnectionId> ids() const;
  std::size_t count_of(RelayId relay) const noexcept;

  // Replaces the deadline; nullopt: none any more.
  void set_deadline(DataConnection& connection, std::optional<TimePoint> deadline);
  // One whose time is over, which has no deadline then; nullptr when there is none.
  DataConnection* pop_expired(TimePoint now) noexcept { return timers_.pop_expired(now); }
  std::optional<TimePoint> next_deadline() const noexcept { return timers_.next_deadline(); }

 private:
  std::optional<WorkerIndex> worker_;
  boost::unordered_flat_map<ConnectionId, std::unique_ptr<DataConnection>> by_id_;
  boost::unordered_flat_map<std::uint32_t, std::vector<DataConnection*>> by_relay_;  // its slot
  TimerQueue<DataConnection> timers_;
};

}  // namespace causeway::turn
