// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/connection_table.hpp"

#include <algorithm>

namespace causeway::turn {

DataConnection& ConnectionTable::insert(std::unique_ptr<DataConnection> inserted, TimePoint deadline,
                                        RandomSource& random) {
  DataConnection& connection = *inserted;
  do {
    const auto number = static_cast<std::uint32_t>(random.next());
    connection.id = ConnectionId{worker_ ? with_worker(number, *worker_) : number};
  } while (by_id_.contains(connection.id));
  by_id_.emplace(connection.id, std::move(inserted));
  by_relay_[connection.relay.slot].push_back(&connection);
  timers_.schedule(connection, deadline);
  return connection;
}

void ConnectionTable::remove(ConnectionId id) noexcept {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  DataConnection& connection = *found->second;
  timers_.cancel(connection);
  const auto of_relay = by_relay_.find(connection.relay.slot);
  std::erase(of_relay->second, &connection);
  if (of_relay->second.empty()) by_relay_.erase(of_relay);
  by_id_.erase(found);
}

DataConnection* ConnectionTable::find(ConnectionId id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

DataConnection* ConnectionTable::find(RelayId relay, const Endpoint& peer) const noexcept {
  const auto of_relay = by_relay_.find(relay.slot);
  if (of_relay == by_relay_.end()) return nullptr;
  const auto& all = of_relay->second;
  const auto found =
      std::find_if(all.begin(), all.end(), [&peer](const DataConnection* other) { return other->peer == peer; });
  return found == all.end() ? nullptr : *found;
}

DataConnection* ConnectionTable::any_of(RelayId relay) const noexcept {
  const auto of_relay = by_relay_.find(relay.slot);
  return of_relay == by_relay_.end() ? nullptr : of_relay->second.back();
}

std::vector<ConnectionId> ConnectionTable::ids() const {
  std::vector<ConnectionId> all;
  for (const auto& [id, connection] : by_id_)
    all.push_back(id);
  return all;
}

std::size_t ConnectionTable::count_of(RelayId relay) const noexcept {
  const auto of_relay = by_relay_.find(relay.slot);
  return of_relay == by_relay_.end() ? 0 : of_relay->second.size();
}

void ConnectionTable::set_deadline(DataConnection& connection, std::optional<TimePoint> deadline) {
  if (deadline) {
    timers_.schedule(connection, *deadline);
  } else {
    timers_.cancel(connection);
  }
}

}  // namespace causeway::turn
