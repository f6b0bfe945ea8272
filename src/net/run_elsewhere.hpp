// SPDX-License-Identifier: Apache-2.0
// A coroutine on the loop of another thread, awaited here.
#pragma once

#include "net/asio.hpp"

namespace causeway::net {

// Runs `coroutine` on `there` to its end, and throws what it throws. Cancelling the awaiting coroutine cancels it, and
// is waited for as well.
asio::awaitable<void> run_elsewhere(asio::any_io_executor there, asio::awaitable<void> coroutine);

}  // namespace causeway::net
