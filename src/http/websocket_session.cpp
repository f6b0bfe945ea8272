// SPDX-License-Identifier: Apache-2.0
#include "http/websocket_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>

#include "http/signaling_service.hpp"
#include "net/system_clock.hpp"

namespace causeway::http {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

constexpr std::string_view kSubprotocol = "causeway.v1";
constexpr std::uint16_t kComingBack = 4050;  // a client closes what it takes for dead and will resume
constexpr std::chrono::seconds kAcceptDeadline{10};
constexpr std::chrono::seconds kCloseDeadline{5};
constexpr std::size_t kIdleBufferBytes = 4096;  // kept between messages

bool offers_subprotocol(const beast::http::request<beast::http::string_body>& request) {
  beast::http::token_list offered{request[beast::http::field::sec_websocket_protocol]};
  return offered.exists(kSubprotocol);
}

}  // namespace

WebSocketSession::WebSocketSession(net::Stream stream, signaling::SessionId id, const Endpoint& remote,
                                   SignalingService& service, Logger logger)
    : socket_(std::move(stream), service.options().rates, service.pauses()),
      id_(id),
      remote_(remote),
      service_(service),
      logger_(std::move(logger)),
      pause_(socket_.get_executor()),
      timer_(socket_.get_executor()),
      opened_at_(read_clock().steady),
      last_heard_(opened_at_),
      last_ping_(opened_at_) {}

asio::awaitable<error_code> WebSocketSession::accept(beast::http::request<beast::http::string_body> request) {
  // Beast limits only the handshakes; pings and silence are ours, which Beast can only have at a fixed ratio.
  socket_.set_option(websocket::stream_base::timeout{kAcceptDeadline, websocket::stream_base::none(), false});
  socket_.set_option(websocket::stream_base::decorator(
      [causeway_offered = offers_subprotocol(request)](websocket::response_type& response) {
        response.set(beast::http::field::server, "causeway");
        if (causeway_offered) response.set(beast::http::field::sec_websocket_protocol, kSubprotocol);
      }));
  socket_.control_callback(
      [this](websocket::frame_type type, beast::string_view payload) { on_control_frame(type, payload); });
  socket_.read_message_max(0);  // read_messages() has its own limit
  const auto [error] = co_await socket_.async_accept(request, net::kAwait);
  if (!error) arm_timer();
  co_return error;
}

asio::awaitable<signaling::LeftReason> WebSocketSession::read() {
  const error_code error = co_await read_messages();
  if (!error) co_await await_end_of_closing();
  // The close frame counts, not `error`: a client that resets the connection right behind it has left in order.
  const bool has_left = !closing_ && socket_.reason() && socket_.reason().code != kComingBack;
  log_end(has_left ? websocket::error::closed : error);
  co_return has_left ? signaling::LeftReason::kLeft : signaling::LeftReason::kLost;
}

// Returns no error when the session is being closed and nothing that still comes matters.
asio::awaitable<error_code> WebSocketSession::read_messages() {
  const std::size_t bytes_max = service_.options().message_bytes_max;
  beast::flat_buffer buffer;
  while (!closing_) {
    // One byte more than a message may have tells that it is too big. Beast's own limits would close without a `bye`.
    const auto [error, bytes] = co_await socket_.async_read_some(buffer, bytes_max + 1 - buffer.size(), net::kAwait);
    if (error) co_return error;
    last_heard_ = read_clock().steady;
    if (closing_) break;
    if (buffer.size() > bytes_max) {
      service_.on_unacceptable(id_, signaling::CloseReason::kTooBig);
    } else if (!socket_.is_message_done()) {
      continue;
    } else if (!socket_.got_text()) {
      service_.on_unacceptable(id_, signaling::CloseReason::kNotText);
    } else {
      ++messages_received_;
      socket_.next_layer().count_message();
      service_.on_text(id_, {static_cast<const char*>(buffer.data().data()), buffer.size()});
    }
    buffer.clear();
    if (buffer.capacity() > kIdleBufferBytes) buffer.shrink_to_fit();
  }
  co_return error_code{};
}

// The writer reads what still comes until the client has closed. Beast knows no second reader beside it: one that waits
// for its turn when the connection ends would wait for ever.
asio::awaitable<void> WebSocketSession::await_end_of_closing() {
  while (socket_.next_layer().next_layer().is_open() && is_writing_) {
    pause_.expires_after(kCloseDeadline);
    co_await pause_.async_wait(net::kAwait);
  }
}

void WebSocketSession::on_control_frame(websocket::frame_type type, std::string_view payload) {
  last_heard_ = read_clock().steady;
  socket_.next_layer().count_message();
  ++control_frames_received_;
  service_.on_control_frame();
  if (type != websocket::frame_type::pong) return;
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(payload.data(), payload.data() + payload.size(), seq);
  if (error == std::errc{} && end == payload.data() + payload.size()) service_.on_acknowledged(id_, seq);
}

bool WebSocketSession::send(Message message, bool last) {
  if (closing_) return true;
  if (!last && queued_bytes_ + message.text.size() > service_.options().outbound_bytes_max) return false;
  queued_bytes_ += message.text.size();
  queue_.push_back(std::move(message));
  start_writing();
  return true;
}

void WebSocketSession::drop_queued() {
  while (queue_.size() > (is_writing_ ? 1U : 0U)) {
    queued_bytes_ -= queue_.back().text.size();
    queue_.pop_back();
  }
}

void WebSocketSession::start_writing() {
  if (is_writing_) return;
  is_writing_ = true;
  net::spawn(socket_.get_executor(), write_queued(shared_from_this()), logger_, "writer for " + remote_.to_string());
}

asio::awaitable<void> WebSocketSession::write_queued(std::shared_ptr<WebSocketSession> self) {
  while (!self->queue_.empty()) {
    self->socket_.text(true);
    const Message& message = self->queue_.front();
    const auto [error, bytes] = co_await self->socket_.async_write(asio::buffer(message.text), net::kAwait);
    self->queued_bytes_ -= message.text.size();
    if (message.seq) self->written_seq_ = *message.seq;
    self->queue_.pop_front();
    if (error) {
      self->abort();
      co_return;  // is_writing_ stays: nothing can be written any more
    }
    ++self->messages_sent_;
  }
  if (self->closing_) {
    const websocket::close_reason reason(
        static_cast<websocket::close_code>(signaling::websocket_close_code(*self->closing_)),
        signaling::name(*self->closing_));
    co_await self->socket_.async_close(reason, net::kAwait);
    self->abort();  // nobody is left who would
    co_return;
  }
  self->is_writing_ = false;
}

void WebSocketSession::close(signaling::CloseReason reason) {
  if (closing_) return;
  closing_ = reason;
  arm_timer();
  start_writing();
}

void WebSocketSession::abort() noexcept {
  timer_.cancel();
  pause_.cancel();
  socket_.next_layer().close();
}

void WebSocketSession::arm_timer() {
  if (closing_) {
    timer_.expires_after(kCloseDeadline);
  } else {
    const SignalingServiceOptions& options = service_.options();
    timer_.expires_at(std::min(last_ping_ + options.ping, last_heard_ + options.silence_max));
  }
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->on_timer();
  });
}

void WebSocketSession::on_timer() {
  const TimePoint now = read_clock().steady;
  if (now < timer_.expiry() || !socket_.next_layer().next_layer().is_open())
    return;  // armed anew meanwhile, or all over
  if (closing_) return abort();
  if (socket_.next_layer().is_pausing()) last_heard_ = now;  // nobody listens
  if (now >= last_heard_ + service_.options().silence_max) {
    service_.on_silence();
    return abort();
  }
  if (now >= last_ping_ + service_.options().ping) {
    last_ping_ = now;
    if (!is_pinging_) {
      is_pinging_ = true;
      const std::string seq = written_seq_ == 0 ? std::string() : std::to_string(written_seq_);
      socket_.async_ping(websocket::ping_data(seq),
                         [self = shared_from_this()](const error_code&) { self->is_pinging_ = false; });
    }
  }
  arm_timer();
}

void WebSocketSession::log_end(const error_code& error) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(read_clock().steady - opened_at_).count();
  const std::string why = closing_                            ? std::string(signaling::name(*closing_))
                          : error == websocket::error::closed ? "closed by the client"
                                                              : error.message();
  const std::uint64_t pauses = socket_.next_layer().pauses();
  const std::string flood = pauses == 0 ? ""
                                        : ", paused " + std::to_string(pauses) + " times for sending too fast, with " +
                                              std::to_string(control_frames_received_) + " control frames";
  logger_->info("session {} from {} ended after {} s: {} messages received, {} sent{}: {}",
                static_cast<std::uint64_t>(id_), remote_.to_string(), seconds, messages_received_, messages_sent_,
                flood, why);
}

}  // namespace causeway::http
