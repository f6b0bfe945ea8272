// SPDX-License-Identifier: Apache-2.0
#include "http/websocket_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <charconv>
#include <utility>

#include "http/signaling_service.hpp"
#include "net/linger.hpp"
#include "net/system_clock.hpp"

namespace causeway::http {
namespace {

using boost::beast::http::field;

constexpr std::string_view kSubprotocol = "causeway.v1";
constexpr std::uint16_t kComingBack = 4050;  // a client closes what it takes for dead and will resume
constexpr std::chrono::seconds kCloseDeadline{5};
constexpr std::size_t kQueueKept = 4;            // room for messages that an empty queue keeps
constexpr std::size_t kGatherBytes = 64 * 1024;  // handed to the connection at once, about

}  // namespace

WebSocketSession::WebSocketSession(net::Stream stream, signaling::SessionId id, const WebSocketUpgrade& upgrade,
                                   SignalingService& service, Logger logger)
    : stream_(std::move(stream)),
      id_(id),
      client_(upgrade.client),
      address_(upgrade.open.address),
      place_(upgrade.place),
      service_(service),
      logger_(std::move(logger)),
      pace_(service.options().rates),
      timer_(stream_.get_executor()),
      opened_at_(read_clock().steady),
      last_heard_(opened_at_),
      last_ping_(opened_at_) {}

void WebSocketSession::accept(const boost::beast::http::request_header<>& request) {
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nServer: causeway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      websocket_accept(request[field::sec_websocket_key]) + "\r\n";
  if (boost::beast::http::token_list{request[field::sec_websocket_protocol]}.exists(kSubprotocol)) {
    response.append("Sec-WebSocket-Protocol: ").append(kSubprotocol).append("\r\n");
  }
  response += "\r\n";
  waiting_.assign(response.begin(), response.end());
  arm_timer();
}

asio::awaitable<signaling::LeftReason> WebSocketSession::read() {
  error_code error;
  while (!error && !has_ended_) {
    const bool is_drained = receive(error);
    if (error || has_ended_) break;
    const Duration wait = pace_.time_to_wait(read_clock().steady);
    if (wait > Duration::zero()) {
      co_await pause(wait);
    } else if (is_drained) {
      std::tie(error) = co_await stream_.async_wait_readable(net::kAwait);
    } else {
      co_await asio::post(stream_.get_executor(), net::kAwait);  // after all others
    }
  }
  timer_.cancel();
  // The close frame counts, not `error`: a client that resets the connection right behind it has left in order.
  const bool has_left = !closing_ && client_close_ && *client_close_ != kComingBack;
  log_end(error);
  if (error) abort();
  co_return has_left ? signaling::LeftReason::kLeft : signaling::LeftReason::kLost;
}

asio::awaitable<void> WebSocketSession::pause(Duration wait) {
  pause_ = std::make_unique<asio::steady_timer>(stream_.get_executor(), wait);
  ++pauses_;
  service_.on_pause();
  co_await pause_->async_wait(net::kAwait);
  pause_.reset();
}

void WebSocketSession::on_joined() {
  if (!std::exchange(has_joined_, true)) place_.on_authenticated();
}

asio::awaitable<void> WebSocketSession::linger() {
  if (stream_.is_open()) co_await net::linger(stream_);
}

// Returns whether that was all there is for now.
bool WebSocketSession::receive(error_code& error) {
  const SignalingService::Gathering gathering(service_);
  const TimePoint now = read_clock().steady;
  if (!kept_.empty() && pauses_ > 0) take({}, now);  // what came too fast
  if (has_ended_ || !pace_.may_take_message(now)) return false;
  const MutableBytes buffer = service_.input();
  const std::size_t bytes = stream_.read_now(buffer, error);
  if (bytes > 0) take(buffer.first(bytes), now);
  if (error != asio::error::would_block) return false;
  error.clear();
  return true;
}

void WebSocketSession::take(MutableBytes octets, TimePoint now) {
  last_heard_ = now;
  pace_.count_bytes(octets.size(), now);
  std::vector<std::uint8_t> joined = std::exchange(kept_, {});
  if (!joined.empty()) {
    joined.insert(joined.end(), octets.begin(), octets.end());
    octets = joined;
  }
  const std::size_t bytes_max = service_.options().message_bytes_max;
  while (pace_.may_take_message(now)) {
    const Received frame = frames_.next(octets, bytes_max);
    if (frame.kind == Received::Kind::kIncomplete) break;
    if (frame.kind != Received::Kind::kFragment) pace_.count_message(now);
    on_frame(frame);
    if (has_ended_) return;
  }
  if (octets.size() == joined.size()) {
    kept_ = std::move(joined);
  } else {
    kept_.assign(octets.begin(), octets.end());
  }
}

void WebSocketSession::on_frame(const Received& frame) {
  if (frame.kind >= Received::Kind::kPing) {
    ++control_frames_received_;
    service_.on_control_frame();
  }
  switch (frame.kind) {
    case Received::Kind::kIncomplete:
    case Received::Kind::kFragment:
      return;
    case Received::Kind::kText:
      if (closing_) return;
      ++messages_received_;
      return service_.on_text(id_, frame.payload);
    case Received::Kind::kBinary:
      return closing_ ? void() : service_.on_unacceptable(id_, signaling::CloseReason::kNotText);
    case Received::Kind::kTooBig:
      return closing_ ? void() : service_.on_unacceptable(id_, signaling::CloseReason::kTooBig);
    case Received::Kind::kPing:
      // RFC 6455 §5.5.3: the most recent ping is answered in any case as soon as what waits has been read.
      if (!has_said_close_ && waiting_.size() < kGatherBytes) append_frame(waiting_, Opcode::kPong, frame.payload);
      return flush();
    case Received::Kind::kPong:
      return on_pong(frame.payload);
    case Received::Kind::kClose:
      client_close_ = frame.code;
      send_close(frame.code, frame.payload.substr(std::min<std::size_t>(2, frame.payload.size())));
      has_ended_ = true;
      return;
    case Received::Kind::kError:  // RFC 6455 §7.1.7
      send_close(frame.code, {});
      has_ended_ = true;
      return;
  }
}

void WebSocketSession::on_pong(std::string_view payload) {
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(payload.data(), payload.data() + payload.size(), seq);
  if (error == std::errc{} && end == payload.data() + payload.size()) service_.on_acknowledged(id_, seq);
}

// RFC 6455 §5.5.1: once, and nothing behind it.
void WebSocketSession::send_close(std::uint16_t code, std::string_view reason) {
  if (std::exchange(has_said_close_, true)) return;
  append_close_frame(waiting_, code, reason);
  drop_queued();
  flush();
}

bool WebSocketSession::send(Message message, bool last) {
  if (closing_ || has_said_close_) return true;
  const auto is_too_much = [&] {
    return waiting_.size() + queued_bytes_ + message.text.size() > service_.options().outbound_bytes_max;
  };
  if (!last && is_too_much()) {
    flush();  // much comes of one event: the connection may take it
    if (is_too_much()) return false;
  }
  queued_bytes_ += message.text.size();
  queue_.push_back(std::move(message));
  return true;
}

void WebSocketSession::drop_queued() {
  queue_.clear();
  queued_bytes_ = 0;
}

void WebSocketSession::flush() {
  std::vector<std::uint8_t>& octets = service_.output();
  error_code error;
  while (!is_blocked_ && !error && stream_.is_open()) {
    gather(octets);
    if (octets.empty()) return;
    const std::size_t written = stream_.write_now(octets, error);
    if (written < octets.size()) waiting_.assign(octets.begin() + static_cast<std::ptrdiff_t>(written), octets.end());
  }
  if (error == asio::error::would_block) {
    wait_writable();
  } else if (error) {
    abort();  // the reader sees it
  }
}

void WebSocketSession::gather(std::vector<std::uint8_t>& octets) {
  octets.assign(waiting_.begin(), waiting_.end());
  if (waiting_.capacity() > 0) std::vector<std::uint8_t>().swap(waiting_);
  std::size_t taken = 0;
  for (; taken < queue_.size() && octets.size() < kGatherBytes; ++taken) {
    const Message& message = queue_[taken];
    append_frame(octets, Opcode::kText, message.text);
    queued_bytes_ -= message.text.size();
    if (message.seq) written_seq_ = *message.seq;
  }
  messages_sent_ += taken;
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (queue_.empty() && queue_.capacity() > kQueueKept) queue_.shrink_to_fit();
  if (queue_.empty() && closing_ && !std::exchange(has_said_close_, true)) {
    append_close_frame(octets, signaling::websocket_close_code(*closing_), signaling::name(*closing_));
  }
}

void WebSocketSession::wait_writable() {
  is_blocked_ = true;
  stream_.async_wait_writable([self = shared_from_this()](const error_code& error) {
    self->is_blocked_ = false;
    if (!error) self->flush();
  });
}

void WebSocketSession::close(signaling::CloseReason reason) {
  if (closing_) return;
  closing_ = reason;
  arm_timer();
}

void WebSocketSession::abort() noexcept {
  timer_.cancel();
  if (pause_) pause_->cancel();
  stream_.close();
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
  if (now < timer_.expiry() || !stream_.is_open()) return;  // armed anew meanwhile, or all over
  if (closing_) return abort();
  if (pause_) last_heard_ = now;  // nobody listens
  if (now >= last_heard_ + service_.options().silence_max) {
    service_.on_silence();
    return abort();
  }
  if (now >= last_ping_ + service_.options().ping) {
    last_ping_ = now;
    ping();
  }
  arm_timer();
}

void WebSocketSession::ping() {
  if (is_blocked_) return;  // silence tells as well
  append_frame(waiting_, Opcode::kPing, written_seq_ == 0 ? std::string() : std::to_string(written_seq_));
  flush();
}

void WebSocketSession::log_end(const error_code& error) const {
  const TimePoint now = read_clock().steady;
  const SessionEnd end = closing_        ? SessionEnd::kByServer
                         : client_close_ ? SessionEnd::kByClient
                         : has_ended_    ? SessionEnd::kBadFrame
                                         : SessionEnd::kConnectionError;
  const auto left_out = service_.admit_end_line(end, address_, now);
  if (!left_out) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - opened_at_).count();
  const std::string why = closing_        ? std::string(signaling::name(*closing_))
                          : client_close_ ? "closed by the client"
                          : has_ended_    ? "the client broke the protocol"
                                          : error.message();
  const std::string flood = pauses_ == 0
                                ? ""
                                : ", paused " + std::to_string(pauses_) + " times for sending too fast, with " +
                                      std::to_string(control_frames_received_) + " control frames";
  const std::string others =
      *left_out == 0 ? "" : "; " + std::to_string(*left_out) + " more ended alike since the last line";
  logger_->info("session {} from {} ended after {} s: {} messages received, {} sent{}: {}{}",
                static_cast<std::uint64_t>(id_), client_, seconds, messages_received_, messages_sent_, flood, why,
                others);
}

}  // namespace causeway::http
