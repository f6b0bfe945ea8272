// SPDX-License-Identifier: Apache-2.0
#include "load/workload.hpp"

#include <stdexcept>

#include "load/socket_address.hpp"

namespace causeway::load {

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

}  // namespace causeway::load
