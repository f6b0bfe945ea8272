// SPDX-License-Identifier: Apache-2.0
// The channel bindings of one allocation (RFC 8656 §12): a number stands for a peer's transport address, and the
// other way round. An expired binding keeps both of them taken for another five minutes (§12.2), so that a packet in
// flight cannot reach another peer than its sender meant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/entry_index.hpp"
#include "causeway/base/time.hpp"

namespace causeway::turn {

class ChannelTable {
 public:
  static constexpr std::chrono::seconds kCoolDown{300};

  explicit ChannelTable(std::uint64_t hash_seed) : by_peer_(EndpointHash{hash_seed}) {}

  std::size_t size() const noexcept { return bindings_.size(); }
  // False when the number belongs to another peer or the peer to another number, also during the cool-down.
  bool may_bind(std::uint16_t number, const Endpoint& peer) const noexcept;
  bool is_bound(std::uint16_t number) const noexcept { return by_number_.find(bindings_, number) != nullptr; }
  // Binds or refreshes; the caller has asked may_bind().
  void bind(std::uint16_t number, const Endpoint& peer, TimePoint expires_at);

  // nullptr / nullopt when there is no live binding.
  const Endpoint* peer_of(std::uint16_t number, TimePoint now) const noexcept;
  std::optional<std::uint16_t> number_of(const Endpoint& peer, TimePoint now) const noexcept;

  // Ends the bindings to peers of this family; their cool-down begins.
  void end(AddressFamily family, TimePoint now) noexcept;
  // Forgets what has cooled down and returns when the next one will have.
  std::optional<TimePoint> expire(TimePoint now);

 private:
  struct Binding {
    Endpoint peer;
    std::uint16_t number;
    TimePoint expires_at;
  };
  std::vector<Binding> bindings_;
  EntryIndex<Binding, &Binding::number, std::hash<std::uint16_t>> by_number_;
  EntryIndex<Binding, &Binding::peer, EndpointHash> by_peer_;
};

}  // namespace causeway::turn
