// SPDX-License-Identifier: Apache-2.0
// How fast one client may send. Above its rates nothing is read for a while, and no further message is taken from what
// has been read: what a client sends too fast waits in its own connection, nothing is lost, and nobody else waits. All
// octets count, so that neither a flood of control frames nor one of empty fragments passes by.
#pragma once

#include <algorithm>
#include <cstddef>

#include "causeway/base/time.hpp"
#include "causeway/base/token_bucket.hpp"

namespace causeway::http {

struct ReceiveRates {
  TokenRate messages{};  // control frames are messages, too
  TokenRate bytes{};     // on the wire, inside TLS
};

class ReceivePace {
 public:
  explicit ReceivePace(const ReceiveRates& rates) noexcept : rates_(rates) {}  // they outlive the pace

  void count_bytes(std::size_t bytes, TimePoint now) noexcept { bytes_.take(rates_.bytes, bytes, now); }
  void count_message(TimePoint now) noexcept { messages_.take(rates_.messages, 1, now); }

  bool may_take_message(TimePoint now) const noexcept { return messages_.has_tokens(rates_.messages, now); }
  // Until it may go on; zero when it may.
  Duration time_to_wait(TimePoint now) const noexcept {
    return std::max(messages_.time_to_token(rates_.messages, now), bytes_.time_to_token(rates_.bytes, now));
  }

 private:
  const ReceiveRates& rates_;
  TokenBucket messages_, bytes_;
};

}  // namespace causeway::http
