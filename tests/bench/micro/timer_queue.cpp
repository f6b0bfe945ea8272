// SPDX-License-Identifier: Apache-2.0
// What a deadline costs among many others.
#include "causeway/base/timer_queue.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace causeway {
namespace {

struct Owner : Timer {};

struct Filled {
  explicit Filled(std::size_t timers) : owners(timers) {
    queue.reserve(timers);
    for (Owner& owner : owners)
      queue.schedule(owner, later());
  }

  // Within ten minutes, as the ends of allocations are.
  TimePoint later() {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return TimePoint{} + std::chrono::milliseconds{chance >> 33 & 0x7FFFF};
  }

  std::vector<Owner> owners;
  TimerQueue<Owner> queue;
  std::uint64_t chance = 1;
};

void timer_schedule_anew(benchmark::State& state) {
  Filled filled{static_cast<std::size_t>(state.range(0))};
  std::size_t next = 0;
  for (auto _ : state) {
    filled.queue.schedule(filled.owners[next], filled.later());
    next = (next + 7919) % filled.owners.size();
  }
}
BENCHMARK(timer_schedule_anew)->Arg(100)->Arg(10'000)->Arg(100'000);

void timer_expire_and_schedule(benchmark::State& state) {
  Filled filled{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) {
    Owner* owner = filled.queue.pop_expired(TimePoint::max());
    filled.queue.schedule(*owner, owner->deadline() + std::chrono::minutes{10});
  }
}
BENCHMARK(timer_expire_and_schedule)->Arg(100)->Arg(10'000)->Arg(100'000);

void timer_next_deadline(benchmark::State& state) {
  const Filled filled{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state)
    benchmark::DoNotOptimize(filled.queue.next_deadline());
}
BENCHMARK(timer_next_deadline)->Arg(100'000);

}  // namespace
}  // namespace causeway
