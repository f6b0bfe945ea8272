// SPDX-License-Identifier: Apache-2.0
// The five-tuples that come to this worker although another one has their allocation: a client has moved there (RFC
// 8016), or has taken a relay that was reserved there. Everything that comes from them is handed over.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "causeway/base/time.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/worker_index.hpp"

namespace causeway::turn {

class ForeignClients {
 public:
  // One more displaces the one that has been silent for longest. Whoever is displaced by mistake gets 437.
  static constexpr std::size_t kClientsMax = 4096;

  explicit ForeignClients(std::uint64_t hash_seed) : by_five_tuple_(0, FiveTupleHash{hash_seed}) {}

  void add(const FiveTuple& client, WorkerIndex worker, TimePoint now);
  void remove(const FiveTuple& client) noexcept { by_five_tuple_.erase(client); }
  std::optional<WorkerIndex> find(const FiveTuple& client, TimePoint now) noexcept {
    if (by_five_tuple_.empty()) return std::nullopt;  // nearly always
    const auto found = by_five_tuple_.find(client);
    if (found == by_five_tuple_.end()) return std::nullopt;
    found->second.last_packet_at = now;
    return found->second.worker;
  }
  bool contains(const FiveTuple& client) const noexcept { return by_five_tuple_.contains(client); }
  std::size_t size() const noexcept { return by_five_tuple_.size(); }

 private:
  struct Client {
    WorkerIndex worker;
    TimePoint last_packet_at;
  };
  boost::unordered_flat_map<FiveTuple, Client, FiveTupleHash> by_five_tuple_;
};

}  // namespace causeway::turn
