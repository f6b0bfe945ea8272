// SPDX-License-Identifier: Apache-2.0
// From one request's header to its answer: a page, a sentence, or the door to signaling. Knows no connection and waits
// for nothing.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "causeway/signaling/hub.hpp"
#include "http/static_files.hpp"
#include "net/stream_listener.hpp"

namespace causeway::http {

using RequestHeader = boost::beast::http::request_header<>;

// Without what the connection decides: Content-Length, Connection, Date.
struct Response {
  boost::beast::http::response_header<> header;
  std::string_view body;  // of static storage or of the StaticFiles
};

// What a request is answered from.
struct Site {
  const StaticFiles& files;
  std::span<const std::string> origins;     // see SignalingServiceOptions
  std::optional<std::uint16_t> https_port;  // see Service::set_https_port
  bool is_ready = false;
  bool strict_transport = false;  // see Service::set_strict_transport
};

// A Response, or what the Hub has to know of a WebSocket whose upgrade is to be accepted.
using Outcome = std::variant<Response, signaling::OpenRequest>;

Outcome route(const RequestHeader& request, const net::ConnectionFacts& facts, const Site& site);

// False: where this request ends is unknown, or where it does has not been read.
bool can_go_on_after(const RequestHeader& request);

// A sentence as text/plain. `sentence` is of static storage.
Response sentence_response(boost::beast::http::status status, std::string_view sentence);

}  // namespace causeway::http
