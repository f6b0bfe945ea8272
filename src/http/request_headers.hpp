// SPDX-License-Identifier: Apache-2.0
// What single request headers mean. Pure functions over the text that a client sent.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace causeway::http {

// The Host header (RFC 9110 §7.2), checked: letters, digits, '-', '.', '_' or an IPv6 literal in brackets, and a port.
struct Host {
  std::string_view name;  // an IPv6 literal keeps its brackets, as in a URI
  std::string_view port;  // empty: the default one
};
std::optional<Host> parse_host(std::string_view header);

// What a WebSocket handshake came to: the Host header, by TLS or not.
struct RequestedSite {
  std::string_view host;
  bool is_tls = false;
};
// Whether a page of `origin` may open a WebSocket on the site (RFC 6455 §10.2): scheme, host and port of the Origin are
// the site's (RFC 6454 §5), or `allowed` has the origin or "*".
bool is_origin_allowed(std::string_view origin, const RequestedSite& site, std::span<const std::string> allowed);

// How the end of a request's body is found (RFC 9112 §6).
enum class BodyFraming : std::uint8_t {
  kNoBody,
  kBody,            // Content-Length, or exactly "chunked"
  kUnknownCodings,  // any other Transfer-Encoding: nobody can say where the next request begins
};
BodyFraming body_framing(const boost::beast::http::fields& header);

// Accept-Encoding (RFC 9110 §12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

// If-None-Match (RFC 9110 §13.1.2): whether the list names `etag`, compared weakly, or is "*".
bool matches_etag(std::string_view if_none_match, std::string_view etag);

// Range (RFC 9110 §14.2) with one range. Whatever is not understood, several ranges among it, is WholeContent.
struct WholeContent {};
struct ByteRange {
  std::size_t first = 0;
  std::size_t last = 0;  // inclusive, within the content
};
struct UnsatisfiableRange {};
std::variant<WholeContent, ByteRange, UnsatisfiableRange> parse_range(std::string_view range,
                                                                      std::size_t content_bytes);

// The first value of `key` in the query of a request target ("/ws?room=a%20b"), decoded as a form is.
// nullopt: not there. A '%' that is no escape stands for itself.
std::optional<std::string> query_value(std::string_view target, std::string_view key);

// The target without its query.
std::string_view target_path(std::string_view target);

}  // namespace causeway::http
