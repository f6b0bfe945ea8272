// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 for one daemon: pages, health and the door to signaling.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "causeway/base/log_limit.hpp"
#include "http/forwarded.hpp"
#include "http/router.hpp"
#include "http/static_files.hpp"
#include "http/websocket_session.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"
#include "net/stream_listener.hpp"

namespace causeway::http {

class SignalingService;

struct ServiceCounters {
  std::uint64_t forwarded_malformed = 0;  // by trusted proxies: such a request counts as the proxy's own
  std::uint64_t forwarded_ignored = 0;    // by others
};

class Service {
 public:
  // `signaling` outlives the service, the service every session.
  Service(StaticFiles files, SignalingService& signaling, TrustedProxies proxies, Logger logger);

  // Of a listener that serves pages over TLS. With one, pages that are asked for without TLS from another machine
  // redirect there, because browsers refuse camera and microphone to insecure origins.
  void set_https_port(std::optional<std::uint16_t> port) noexcept { https_port_ = port; }

  // Whether answers over TLS of this server itself say that browsers shall never come without TLS again (RFC 6797):
  // their certificate is one that browsers trust, and nothing at this host is served without TLS to other machines.
  void set_strict_transport(bool strict) noexcept { strict_transport_ = strict; }

  // What /readyz says: false while starting and stopping.
  void set_ready(bool ready) noexcept { is_ready_ = ready; }

  // A net::StreamHandler: serves one connection until it ends.
  asio::awaitable<void> serve(net::Stream stream, std::vector<std::uint8_t> first_bytes, net::ConnectionFacts facts);

  const ServiceCounters& counters() const noexcept { return counters_; }

 private:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;
  // To one request. A response, or a WebSocket that begins.
  struct Answer {
    Response response{};
    std::unique_ptr<WebSocketUpgrade> upgrade{};
    bool is_head = false;
    bool keep_alive = false;
  };

  // The facts of the connection as those of the client behind the proxies, if there are any; its port is 0 then.
  net::ConnectionFacts facts_of_client(const boost::beast::http::fields& header,
                                       const net::ConnectionFacts& connection);
  // `has_more`: something has been read behind the request.
  Answer answer_to(Request request, const net::ConnectionFacts& facts, bool has_more);
  // Until the connection ends, or becomes a WebSocket.
  asio::awaitable<std::unique_ptr<WebSocketUpgrade>> serve_requests(net::Stream& stream,
                                                                    boost::beast::flat_buffer& buffer,
                                                                    const net::ConnectionFacts& facts);

  StaticFiles files_;
  SignalingService& signaling_;
  const TrustedProxies proxies_;
  Logger logger_;
  LogLimit log_limit_;
  std::optional<std::uint16_t> https_port_;
  bool is_ready_ = false;
  bool strict_transport_ = false;
  ServiceCounters counters_;
};

}  // namespace causeway::http
