// SPDX-License-Identifier: Apache-2.0
// One WebSocket of the signaling service (RFC 6455): reads whole text messages, writes from one bounded queue, pings,
// and gives up on silence. A ping carries the `seq` of the last message in front of it, so its pong acknowledges all of
// them. The SignalingService's table owns it; its coroutine keeps it alive until it has ended.
//
// An idle session has no buffer: what arrives is read into one of the service's and kept only where a frame is not
// whole, and what leaves is put together in another, several messages in one write.
#pragma once

#include <boost/beast/http/message.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "causeway/signaling/hub.hpp"
#include "http/receive_pace.hpp"
#include "http/websocket_frames.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"
#include "net/stream_admission.hpp"

namespace causeway::http {

class SignalingService;

// A request that the router has let through.
struct WebSocketUpgrade {
  boost::beast::http::request_header<> request;
  signaling::OpenRequest open;
  std::string client;  // for the log
  net::ConnectionPlace place{};
};

class WebSocketSession : public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(net::Stream stream, signaling::SessionId id, const WebSocketUpgrade& upgrade,
                   SignalingService& service, Logger logger);

  signaling::SessionId id() const noexcept { return id_; }

  // Queues the 101 response until flush().
  void accept(const boost::beast::http::request_header<>& request);

  // Hands every message to the service until the connection has ended, or is to end. Says how it went.
  asio::awaitable<signaling::LeftReason> read();

  // The client has joined a room. May be repeated.
  void on_joined();
  bool has_joined() const noexcept { return has_joined_; }

  // What remains to be done for the last words to arrive, once the session has ended.
  asio::awaitable<void> linger();

  struct Message {
    std::string text;
    std::optional<std::uint64_t> seq;
  };
  // Queues one message until flush(). False, and nothing queued, when the queue would exceed outbound_bytes_max. `last`
  // messages always fit. Ignored once close() was called.
  [[nodiscard]] bool send(Message message, bool last);
  void flush();

  // Forgets what is queued, except for what has been handed to the connection in part.
  void drop_queued();

  // Closes in order once the queue is written; at the latest after 5 s without order.
  void close(signaling::CloseReason reason);

  // Ends the connection now.
  void abort() noexcept;

 private:
  bool receive(error_code& error);
  void take(MutableBytes octets, TimePoint now);
  asio::awaitable<void> pause(Duration wait);
  void on_frame(const Received& frame);
  void on_pong(std::string_view payload);
  void send_close(std::uint16_t code, std::string_view reason);
  void ping();
  void gather(std::vector<std::uint8_t>& octets);
  void wait_writable();
  void arm_timer();
  void on_timer();
  void log_end(const error_code& error) const;

  net::Stream stream_;
  const signaling::SessionId id_;
  const std::string client_;
  const IpAddress address_;  // behind the proxies
  const net::ConnectionPlace place_;
  bool has_joined_ = false;
  SignalingService& service_;
  Logger logger_;

  FrameReader frames_;
  ReceivePace pace_;
  std::vector<std::uint8_t> kept_;     // octets of a frame that is not whole, or that comes too fast
  std::vector<std::uint8_t> waiting_;  // what goes out first: what the connection did not take, and control frames
  std::vector<Message> queue_;
  std::size_t queued_bytes_ = 0;   // of queue_
  std::uint64_t written_seq_ = 0;  // of the last message handed to the connection; 0: none
  std::optional<signaling::CloseReason> closing_;
  std::optional<std::uint16_t> client_close_;  // the code of the client's close frame
  bool is_blocked_ = false;                    // waits until it can write
  bool has_said_close_ = false;
  bool has_ended_ = false;  // nothing that still comes matters

  std::unique_ptr<asio::steady_timer> pause_;  // while nothing is read, because the client is too fast
  asio::steady_timer timer_;                   // the next ping, the end of patience, or the end of closing
  TimePoint opened_at_;
  TimePoint last_heard_;
  TimePoint last_ping_;
  std::uint64_t messages_received_ = 0;
  std::uint64_t control_frames_received_ = 0;
  std::uint64_t pauses_ = 0;
  std::uint64_t messages_sent_ = 0;
};

}  // namespace causeway::http
