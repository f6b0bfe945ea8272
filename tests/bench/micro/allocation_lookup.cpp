// SPDX-License-Identifier: Apache-2.0
// How long it takes to find an allocation among many: by what a client's packet shows, and by the relay of a peer's.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "causeway/turn/allocation_table.hpp"

namespace causeway::turn {
namespace {

constexpr std::size_t kStride = 7919;  // no two lookups in a row are neighbours

FiveTuple five_tuple(std::size_t index) {
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(index >> shift); };
  return {{IpAddress{std::array<std::uint8_t, 4>{10, byte(16), byte(8), byte(0)}}, 4000},
          {IpAddress{std::array<std::uint8_t, 4>{203, 0, 113, 1}}, 3478},
          Transport::kUdp};
}

struct Filled {
  explicit Filled(std::size_t allocations) {
    table.reserve(allocations, allocations, false);
    for (std::size_t i = 0; i < allocations; ++i) {
      auto allocation = std::make_unique<Allocation>(1);
      allocation->client.five_tuple = five_tuple(i);
      Relay relay;
      relay.id = table.take_relay();
      relay.local = relay.relayed_address = {IpAddress{std::array<std::uint8_t, 4>{203, 0, 113, 1}},
                                             static_cast<std::uint16_t>(1024 + i)};
      relays.push_back(relay.id);
      allocation->relays.push_back(relay);
      table.insert(std::move(allocation));
    }
  }

  AllocationTable table{1};
  std::vector<RelayId> relays;
};

void find_by_five_tuple(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Filled filled{count};
  std::size_t next = 0;
  for (auto _ : state) {
    if (filled.table.find(five_tuple(next)) == nullptr) return state.SkipWithError("not found");
    next = (next + kStride) % count;
  }
}
BENCHMARK(find_by_five_tuple)->Arg(100)->Arg(10'000)->Arg(50'000);

void find_by_relay(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Filled filled{count};
  std::size_t next = 0;
  for (auto _ : state) {
    if (filled.table.find(filled.relays[next]) == nullptr) return state.SkipWithError("not found");
    next = (next + kStride) % count;
  }
}
BENCHMARK(find_by_relay)->Arg(100)->Arg(10'000)->Arg(50'000);

}  // namespace
}  // namespace causeway::turn
