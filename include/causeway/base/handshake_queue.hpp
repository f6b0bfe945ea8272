// SPDX-License-Identifier: Apache-2.0
// Paces TLS handshakes on a loop that has other work: who may take the next step of a handshake, and when. A step costs
// up to a millisecond of the loop's time. All handshakes together get a share of that time, one step at a time, with
// pauses in between; whoever cannot go on at once waits in a bounded queue. Within it handshakes go on before others
// begin, then come sources where a client has authenticated lately, then other sources. Sources that begin more
// handshakes than their rate come last and get a smaller share.
//
// Sans-IO. The owner enters each step, asks next() whose turn it is, performs the step and reports what it took. One
// loop owns it: it is not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/recent_sources.hpp"
#include "causeway/base/source_budget.hpp"
#include "causeway/base/time.hpp"

namespace causeway {

struct HandshakeQueueOptions {
  std::uint32_t share_percent = 33;           // of the loop's time, for all handshakes
  std::uint32_t over_rate_share_percent = 8;  // of it for sources that are over their rate
  // Of one source: 200 people behind one address may begin ten handshakes each at once.
  std::uint32_t per_second = 50;
  std::chrono::seconds burst{40};  // so many seconds' worth at once
  std::size_t waiting_max = 4096;  // for each priority
};

struct HandshakeQueueCounters {
  std::uint64_t begun = 0;
  std::uint64_t over_rate = 0;  // of those: their source had begun too many
  std::uint64_t refused = 0;    // too many were waiting already
  Duration busy{};              // what the steps have taken
};

class HandshakeQueue {
 public:
  enum class Priority : std::uint8_t { kGoesOn, kKnownSource, kOtherSource, kOverRate, kCount };
  struct Ticket {
    Priority priority = Priority::kGoesOn;
    std::uint64_t number = 0;
    friend constexpr bool operator==(const Ticket&, const Ticket&) noexcept = default;
  };
  static constexpr Duration kRemembered = std::chrono::hours{1};

  HandshakeQueue(const HandshakeQueueOptions& options, std::uint64_t hash_seed);

  // A client of `source` has authenticated: its next handshakes come first.
  void on_authenticated(const IpAddress& source, TimePoint now) noexcept { known_.add(source, now); }

  // Enters the first step of a handshake. nullopt: refused.
  std::optional<Ticket> begin(const IpAddress& source, TimePoint now);
  // The same for this machine and for proxies, which no rate applies to.
  std::optional<Ticket> begin_trusted() { return enter(Priority::kKnownSource); }
  // Enters a further step.
  Ticket go_on();
  // It does not wait any more.
  void leave(const Ticket& ticket) noexcept;

  // Whose step may be taken now. It does not wait any more, and on_step() comes before the next call.
  std::optional<Ticket> next(TimePoint now);
  void on_step(const Ticket& ticket, Duration taken, TimePoint now) noexcept;
  // When to ask next() again; nullopt while nobody waits.
  std::optional<TimePoint> next_turn() const noexcept;

  std::size_t waiting() const noexcept;
  const HandshakeQueueCounters& counters() const noexcept { return counters_; }

 private:
  using Waiting = std::set<std::uint64_t>;  // ticket numbers: first come, first served

  Waiting& waiting(Priority priority) noexcept { return waiting_[static_cast<std::size_t>(priority)]; }
  const Waiting& waiting(Priority priority) const noexcept { return waiting_[static_cast<std::size_t>(priority)]; }
  bool waits_within_rate() const noexcept;
  std::optional<Ticket> enter(Priority priority);

  HandshakeQueueOptions options_;
  SourceBudget rate_;
  RecentSources known_;
  std::array<Waiting, static_cast<std::size_t>(Priority::kCount)> waiting_;
  std::uint64_t last_number_ = 0;
  TimePoint free_at_{};            // when the pause behind the last step ends
  TimePoint over_rate_free_at_{};  // the same for kOverRate
  HandshakeQueueCounters counters_;
};

}  // namespace causeway
