// SPDX-License-Identifier: Apache-2.0
// Ends a connection so that the peer can still read our last words: closing with unread input would send a reset that
// overtakes them.
#pragma once

#include "net/asio.hpp"
#include "net/stream.hpp"

namespace causeway::net {

// Says that nothing more will be sent, throws away what the peer sends until it closes too or 2 s have passed.
// `stream` outlives the coroutine.
asio::awaitable<void> linger(Stream& stream);

}  // namespace causeway::net
