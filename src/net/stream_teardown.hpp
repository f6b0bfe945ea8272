// SPDX-License-Identifier: Apache-2.0
// How Beast ends a WebSocket on a net::Stream; it finds these by argument-dependent lookup.
#pragma once

#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "net/stream.hpp"

namespace causeway::net {

inline void teardown(boost::beast::role_type, Stream& stream, error_code& error) {
  stream.close();
  error = {};
}

// What the client still sends is read and thrown away until it closes, so that our last frame is not lost to a reset.
template <class Handler>
void async_teardown(boost::beast::role_type role, Stream& stream, Handler&& handler) {
  stream.shutdown_send();
  boost::beast::websocket::async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
}

}  // namespace causeway::net
