// SPDX-License-Identifier: Apache-2.0
#include "load/workload.hpp"

#include <fstream>
#include <stdexcept>

#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

constexpr auto kLook = std::chrono::milliseconds{3};
constexpr int kExtensionMax = 8;

}  // namespace

std::uint64_t nanoseconds(Clock::duration duration) noexcept {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
}

ServerClock::ServerClock(const ServerUnderLoad& server) {
  if (::clock_getcpuclockid(server.process, &clock_) != 0)
    throw std::runtime_error("there is no process " + std::to_string(server.process) + " of " + server.name);
  (void)nanoseconds();
}

std::uint64_t ServerClock::nanoseconds() const {
  timespec spent{};
  check(::clock_gettime(clock_, &spent), "the CPU time of the server");
  return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(spent.tv_nsec);
}

std::uint64_t resident_bytes(const ServerUnderLoad& server) {
  const std::string path = "/proc/" + std::to_string(server.process) + "/smaps_rollup";
  std::ifstream in{path};
  for (std::string word; in >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "Rss:" && in >> kibibytes) return kibibytes * 1024;
  }
  throw std::runtime_error("no Rss in " + path);
}

TurnClock::Phase TurnClock::phase(Clock::time_point now) {
  if (phase_ == Phase::kWarmUp && now >= warm_at_) {
    phase_ = Phase::kMeasured;
    begun_at_ = now;
    look_at_ = now + pace_.measured;
    cpu_at_begin_ = server_.nanoseconds();
  } else if (phase_ == Phase::kMeasured && now >= look_at_ && has_enough(now)) {
    phase_ = Phase::kOver;
    wall_ = nanoseconds(now - begun_at_);
  }
  return phase_;
}

bool TurnClock::has_enough(Clock::time_point now) {
  cpu_ = server_.nanoseconds() - cpu_at_begin_;
  look_at_ = now + kLook;
  const bool busy = pace_.packets_per_second == 0;
  return !busy || 2 * cpu_ >= nanoseconds(pace_.measured) || now - begun_at_ >= kExtensionMax * pace_.measured;
}

}  // namespace causeway::load
