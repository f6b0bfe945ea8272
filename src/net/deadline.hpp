// SPDX-License-Identifier: Apache-2.0
// Closes a socket when something takes too long; what waits on the socket then ends with operation_aborted.
// Lives beside the socket in one coroutine and must go before the socket moves.
#pragma once

#include <memory>

#include "causeway/base/time.hpp"
#include "net/asio.hpp"

namespace causeway::net {

class Deadline {
 public:
  explicit Deadline(tcp::socket& socket);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void expires_after(Duration duration);  // from now; replaces the one before
  void cancel() noexcept;
  bool has_passed() const noexcept;

 private:
  struct State;  // shared with the timer's handler, which may be on its way when the Deadline goes
  std::shared_ptr<State> state_;
};

}  // namespace causeway::net
