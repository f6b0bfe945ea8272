// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <algorithm>
#include <boost/beast/websocket/rfc6455.hpp>

#include "http/request_headers.hpp"

namespace causeway::http {
namespace {

using boost::beast::http::field;
using boost::beast::http::status;
using boost::beast::http::verb;

// RFC 6797 §6.1: a year, and this host alone.
constexpr std::string_view kStrictTransport = "max-age=31536000";

// On every answer. `host` has been checked by parse_host and may be empty.
void set_security_headers(boost::beast::http::response_header<>& header, std::string_view host, bool is_tls) {
  // Safari up to 15.3 does not take 'self' to mean the WebSocket of the same host.
  const std::string socket = host.empty() ? "" : (is_tls ? " wss://" : " ws://") + std::string(host);
  header.set("Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
             "media-src 'self' blob:; connect-src 'self'" +
                 socket + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  header.set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self)");
  header.set("X-Content-Type-Options", "nosniff");
  header.set("Referrer-Policy", "no-referrer");
  if (is_tls) header.set("Cross-Origin-Opener-Policy", "same-origin");  // browsers ignore it elsewhere, and complain
}

// RFC 9112 §3.2.2: a server takes the absolute form too.
std::string_view origin_form(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == std::string_view::npos) return target;
  const std::size_t path = target.find('/', scheme_end + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

std::string_view file_path(std::string_view path) {
  constexpr std::string_view kRoom = "/r/";
  if (path == "/") return "/index.html";
  if (path == "/test") return "/test.html";
  const bool is_room =
      path.starts_with(kRoom) && path.size() > kRoom.size() && path.find('/', kRoom.size()) == std::string_view::npos;
  return is_room ? "/index.html" : path;
}

Response redirect(std::string_view host_name, std::uint16_t port, std::string_view target) {
  Response response = sentence_response(
      status::permanent_redirect, "This page needs HTTPS: browsers refuse camera and microphone to insecure pages.\n");
  const std::string authority = std::string(host_name) + (port == 443 ? "" : ":" + std::to_string(port));
  response.header.set(field::location, "https://" + authority + std::string(target));
  return response;
}

Response partial_content(const StaticFile& file, std::string_view range) {
  Response response;
  auto& header = response.header;
  const auto parsed = parse_range(range, file.content.size());
  const std::string size = std::to_string(file.content.size());
  if (const auto* bytes = std::get_if<ByteRange>(&parsed)) {
    header.result(status::partial_content);
    header.set(field::content_range,
               "bytes " + std::to_string(bytes->first) + "-" + std::to_string(bytes->last) + "/" + size);
    response.body = std::string_view(file.content).substr(bytes->first, bytes->last - bytes->first + 1);
  } else if (std::holds_alternative<UnsatisfiableRange>(parsed)) {
    response = sentence_response(status::range_not_satisfiable, "The file is shorter than the range asked for.\n");
    header.set(field::content_range, "bytes */" + size);
  } else {
    header.result(status::ok);
    response.body = file.content;
  }
  return response;
}

Response file_response(const StaticFile& file, const RequestHeader& request) {
  // A range is one of the plain content, so that its positions do not depend on how well zlib compresses.
  const std::string_view range = request[field::range];
  const bool ranged = !range.empty() && request.method() == verb::get &&
                      (request[field::if_range].empty() || request[field::if_range] == file.etag);
  const bool zipped = !ranged && !file.gzip.empty() && accepts_gzip(request[field::accept_encoding]);
  const std::string& etag = zipped ? file.gzip_etag : file.etag;

  Response response;
  if (matches_etag(request[field::if_none_match], etag)) {  // RFC 9110 §13.2.2: before the range
    response.header.result(status::not_modified);
  } else if (ranged) {
    response = partial_content(file, range);
  } else {
    response.header.result(status::ok);
    response.body = zipped ? file.gzip : file.content;
    if (zipped) response.header.set(field::content_encoding, "gzip");
  }
  auto& header = response.header;
  if (header.find(field::content_type) == header.end()) header.set(field::content_type, file.content_type);
  header.set(field::etag, etag);
  header.set(field::cache_control, "no-cache");  // may be kept, must be asked about
  header.set(field::accept_ranges, "bytes");
  if (!file.gzip.empty()) header.set(field::vary, "Accept-Encoding");
  return response;
}

// RFC 6455 §4.2.1 item 5: 16 octets in base64.
bool is_websocket_key(std::string_view key) {
  const auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, is_base64);
}

Outcome websocket(const RequestHeader& request, const Host& host, const net::ConnectionFacts& facts, const Site& site,
                  std::string_view target) {
  if (!boost::beast::websocket::is_upgrade(request)) {
    Response response = sentence_response(status::upgrade_required, "This address speaks WebSocket only.\n");
    response.header.set(field::upgrade, "websocket");
    return response;
  }
  if (request[field::sec_websocket_version] != "13") {  // RFC 6455 §4.2.2 step 4
    Response response = sentence_response(status::upgrade_required, "This server speaks version 13 of WebSocket.\n");
    response.header.set(field::upgrade, "websocket");
    response.header.set(field::sec_websocket_version, "13");
    return response;
  }
  if (!is_websocket_key(request[field::sec_websocket_key])) {
    return sentence_response(status::bad_request, "Sec-WebSocket-Key has to be 16 octets in base64.\n");
  }
  if (!site.is_ready) return sentence_response(status::service_unavailable, "The server is stopping; try again.\n");
  const std::string_view origin = request[field::origin];
  if (!origin.empty() && !is_origin_allowed(origin, {request[field::host], facts.is_tls}, site.origins)) {
    return sentence_response(status::forbidden,
                             "This page's origin may not use this server. Its operator can add the origin to "
                             "signaling.origins, and a proxy that does the TLS to web.trusted_proxies.\n");
  }
  return signaling::OpenRequest{.plain_room = query_value(target, "room"),
                                .host = std::string(host.name),
                                .secure = facts.is_tls,
                                .address = facts.remote.address,
                                .token = query_value(target, "token")};
}

Outcome choose(const RequestHeader& request, const Host& host, const net::ConnectionFacts& facts, const Site& site) {
  const std::string_view target = origin_form(request.target());
  const std::string_view path = target_path(target);
  const bool is_page = path != "/ws" && path != "/healthz" && path != "/readyz";
  const StaticFile* file = is_page ? site.files.find(file_path(path)) : nullptr;
  if (is_page && !file) return sentence_response(status::not_found, "There is nothing at this address.\n");
  if (request.method() != verb::get && request.method() != verb::head) {
    Response response = sentence_response(status::method_not_allowed, "Only GET and HEAD work here.\n");
    response.header.set(field::allow, "GET, HEAD");
    return response;
  }
  if (path == "/ws") return websocket(request, host, facts, site, target);
  if (path == "/healthz") return sentence_response(status::ok, "ok\n");
  if (path == "/readyz") {
    return site.is_ready ? sentence_response(status::ok, "ready\n")
                         : sentence_response(status::service_unavailable, "starting or stopping\n");
  }
  if (site.https_port && !facts.is_tls && !facts.local.address.is_loopback()) {
    return redirect(host.name, *site.https_port, target);
  }
  return file_response(*file, request);
}

}  // namespace

Response sentence_response(status status, std::string_view sentence) {
  Response response;
  response.header.result(status);
  response.header.set(field::content_type, "text/plain; charset=utf-8");
  response.header.set(field::cache_control, "no-store");
  response.body = sentence;
  set_security_headers(response.header, {}, false);
  return response;
}

bool can_go_on_after(const RequestHeader& request) {
  return body_framing(request) == BodyFraming::kNoBody;
}

Outcome route(const RequestHeader& request, const net::ConnectionFacts& facts, const Site& site) {
  switch (body_framing(request)) {
    case BodyFraming::kUnknownCodings:  // RFC 9112 §6.1
      return sentence_response(status::not_implemented, "The only Transfer-Encoding here is \"chunked\".\n");
    case BodyFraming::kBody:
      return sentence_response(status::payload_too_large, "Nothing at this server takes a request with a body.\n");
    case BodyFraming::kNoBody:
      break;
  }
  // RFC 9112 §3.2: exactly one Host, and a valid one. It comes back in redirects and in the URIs of ICE servers.
  const auto host = request.count(field::host) == 1 ? parse_host(request[field::host]) : std::nullopt;
  if (!host) return sentence_response(status::bad_request, "The request needs one valid Host header.\n");
  if (!request.target().starts_with('/') && request.target().find("://") == std::string_view::npos) {
    return sentence_response(status::bad_request, "The request target has to begin with a slash.\n");
  }
  Outcome outcome = choose(request, *host, facts, site);
  if (auto* response = std::get_if<Response>(&outcome)) {
    set_security_headers(response->header, request[field::host], facts.is_tls);
    if (site.strict_transport && facts.is_tls) response->header.set(field::strict_transport_security, kStrictTransport);
  }
  return outcome;
}

}  // namespace causeway::http
