// SPDX-License-Identifier: Apache-2.0
// A non-blocking socket that closes itself, and waiting for it until a deadline.
#pragma once

#include <optional>
#include <utility>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "causeway/base/time.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

class Socket {
 public:
  // `type` is SOCK_DGRAM or SOCK_STREAM. A stream is connected when this returns.
  static Result<Socket, ProbeError> connect(int type, const Endpoint& server, TimePoint deadline);

  // For datagrams to and from several addresses.
  static Result<Socket, ProbeError> unconnected(AddressFamily family);

  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  int descriptor() const noexcept { return descriptor_; }
  std::optional<IpAddress> local_address() const;
  // False at the deadline. `events` are those of poll.
  bool wait(short events, TimePoint deadline) const;

 private:
  explicit Socket(int descriptor) noexcept : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace causeway::probe
