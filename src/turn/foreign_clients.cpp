// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/foreign_clients.hpp"

#include <algorithm>

namespace causeway::turn {

void ForeignClients::add(const FiveTuple& client, WorkerIndex worker, TimePoint now) {
  if (by_five_tuple_.size() >= kClientsMax && !by_five_tuple_.contains(client)) {
    by_five_tuple_.erase(std::min_element(
        by_five_tuple_.begin(), by_five_tuple_.end(),
        [](const auto& one, const auto& other) { return one.second.last_packet_at < other.second.last_packet_at; }));
  }
  by_five_tuple_.insert_or_assign(client, Client{worker, now});
}

}  // namespace causeway::turn
