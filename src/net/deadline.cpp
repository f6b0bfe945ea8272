// SPDX-License-Identifier: Apache-2.0
#include "net/deadline.hpp"

namespace causeway::net {

struct Deadline::State {
  asio::steady_timer timer;
  tcp::socket& socket;
  std::uint64_t armed = 0;  // which expires_after() a handler belongs to; a cancelled one may still come
  bool passed = false;
};

Deadline::Deadline(tcp::socket& socket)
    : state_(new State{.timer = asio::steady_timer(socket.get_executor()), .socket = socket}) {}

Deadline::~Deadline() {
  cancel();
}

void Deadline::expires_after(Duration duration) {
  state_->timer.expires_after(duration);
  state_->timer.async_wait([state = state_, armed = ++state_->armed](const error_code& error) {
    if (error || armed != state->armed) return;
    state->passed = true;
    error_code ignored;
    state->socket.close(ignored);
  });
}

void Deadline::cancel() noexcept {
  ++state_->armed;
  state_->timer.cancel();
}

bool Deadline::has_passed() const noexcept {
  return state_->passed;
}

}  // namespace causeway::net
