// SPDX-License-Identifier: Apache-2.0
#include "net/linger.hpp"

#include <array>

#include "net/deadline.hpp"

namespace causeway::net {
namespace {

constexpr std::chrono::seconds kLingerDeadline{2};

}  // namespace

asio::awaitable<void> linger(Stream& stream) {
  Deadline deadline(stream.next_layer());
  deadline.expires_after(kLingerDeadline);
  stream.shutdown_send();
  std::array<std::uint8_t, 2048> rest{};
  for (;;) {
    const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(rest), kAwait);
    if (error) co_return stream.close();
  }
}

}  // namespace causeway::net
