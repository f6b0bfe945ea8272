// SPDX-License-Identifier: Apache-2.0
// One WebSocket of the signaling service (RFC 6455): reads whole text messages, writes from one bounded queue, pings,
// and gives up on silence. A ping carries the `seq` of the last message in front of it, so its pong acknowledges all of
// them. The SignalingService's table owns it; its coroutines keep it alive until they have ended.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "causeway/base/endpoint.hpp"
#include "causeway/signaling/hub.hpp"
#include "http/paced_stream.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"

namespace causeway::http {

class SignalingService;

// A request that the router has let through.
struct WebSocketUpgrade {
  boost::beast::http::request<boost::beast::http::string_body> request;
  signaling::OpenRequest open;
};

class WebSocketSession : public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(net::Stream stream, signaling::SessionId id, const Endpoint& remote, SignalingService& service,
                   Logger logger);

  signaling::SessionId id() const noexcept { return id_; }

  // Sends the 101 response.
  asio::awaitable<error_code> accept(boost::beast::http::request<boost::beast::http::string_body> request);

  // Hands every message to the service until the connection is gone. Says how it went.
  asio::awaitable<signaling::LeftReason> read();

  struct Message {
    std::string text;
    std::optional<std::uint64_t> seq;
  };
  // Queues one message. False, and nothing queued, when the queue would exceed outbound_bytes_max. `last` messages
  // always fit. Ignored once close() was called.
  [[nodiscard]] bool send(Message message, bool last);

  // Forgets what is queued, except for the message that is being written.
  void drop_queued();

  // Closes in order once the queue is written; at the latest after 5 s without order.
  void close(signaling::CloseReason reason);

  // Ends the connection now.
  void abort() noexcept;

 private:
  static asio::awaitable<void> write_queued(std::shared_ptr<WebSocketSession> self);
  asio::awaitable<error_code> read_messages();
  // Returns when the connection is closed, in order or by the deadline.
  asio::awaitable<void> await_end_of_closing();
  void start_writing();
  void on_control_frame(boost::beast::websocket::frame_type type, std::string_view payload);
  void arm_timer();
  void on_timer();
  void log_end(const error_code& error) const;

  boost::beast::websocket::stream<PacedStream, false> socket_;  // without permessage-deflate
  const signaling::SessionId id_;
  const Endpoint remote_;
  SignalingService& service_;
  Logger logger_;

  std::deque<Message> queue_;  // the front is being written while is_writing_
  std::size_t queued_bytes_ = 0;
  bool is_writing_ = false;
  bool is_pinging_ = false;
  std::uint64_t written_seq_ = 0;  // of the last message that was written; 0: none
  std::optional<signaling::CloseReason> closing_;

  asio::steady_timer pause_;  // while nothing is read
  asio::steady_timer timer_;  // the next ping, the end of patience, or the end of closing
  TimePoint opened_at_;
  TimePoint last_heard_;
  TimePoint last_ping_;
  std::uint64_t messages_received_ = 0;
  std::uint64_t control_frames_received_ = 0;
  std::uint64_t messages_sent_ = 0;
};

}  // namespace causeway::http
