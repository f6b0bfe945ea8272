// SPDX-License-Identifier: Apache-2.0
// Connects the signaling Hub to WebSockets: owns the table of sessions, gives them their ids, feeds their messages to
// the Hub, performs the Hub's deliveries and drives its timer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/log_limit.hpp"
#include "causeway/signaling/hub.hpp"
#include "http/receive_pace.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"

namespace causeway::http {

class WebSocketSession;
struct WebSocketUpgrade;

struct SignalingServiceOptions {
  std::vector<std::string> origins;  // allowed besides the host itself: "https://app.example.org", "*" for any
  std::size_t message_bytes_max = 64 * 1024;
  std::size_t outbound_bytes_max = 1024 * 1024;  // queued for one slow reader
  ReceiveRates rates;                            // of one session
  std::chrono::milliseconds ping = std::chrono::seconds(25);
  std::chrono::milliseconds silence_max = std::chrono::seconds(60);  // without a frame from the client
};

// For the log.
enum class SessionEnd : std::uint8_t { kByServer, kByClient, kBadFrame, kConnectionError };

struct SignalingServiceCounters {
  std::uint64_t upgrades_failed = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t control_frames_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t pauses = 0;  // in which a session was not read, because it had sent more than its rates allow
  std::uint64_t silent = 0;  // sessions given up after silence_max
};

class SignalingService {
 public:
  // `hub` outlives the service; the service outlives every session and the loop's last turn.
  SignalingService(const asio::any_io_executor& executor, signaling::Hub& hub, SignalingServiceOptions options,
                   Logger logger);
  ~SignalingService();
  SignalingService(const SignalingService&) = delete;
  SignalingService& operator=(const SignalingService&) = delete;

  // Answers the upgrade request and runs the session until its connection is gone.
  asio::awaitable<void> serve(net::Stream stream, std::unique_ptr<WebSocketUpgrade> upgrade);

  // Says `bye` to everybody, refuses new sessions, and returns when all are gone, at the latest after 2 s.
  asio::awaitable<void> stop();

  // --- what a WebSocketSession reports ---
  void on_text(signaling::SessionId id, std::string_view text);
  // The session cannot go on: kNotText, kTooBig.
  void on_unacceptable(signaling::SessionId id, signaling::CloseReason reason);
  // Everything up to this `seq` has arrived at the client's end.
  void on_acknowledged(signaling::SessionId id, std::uint64_t seq);
  void on_control_frame() noexcept { ++counters_.control_frames_received; }
  void on_silence() noexcept { ++counters_.silent; }
  void on_pause() noexcept { ++counters_.pauses; }
  // How a session of this client has ended: whether a line shall say so, as LogLimit::admit().
  std::optional<std::uint64_t> admit_end_line(SessionEnd end, const IpAddress& client, TimePoint now) {
    return end_lines_.admit(end, client, now);
  }

  // What is sent while one lives leaves when the last of them ends: all of an event's messages to a session together.
  class Gathering {
   public:
    explicit Gathering(SignalingService& service) noexcept : service_(service) { ++service_.gatherings_; }
    ~Gathering() {
      if (--service_.gatherings_ == 0) service_.flush();
    }
    Gathering(const Gathering&) = delete;
    Gathering& operator=(const Gathering&) = delete;

   private:
    SignalingService& service_;
  };

  // Buffers that all sessions use in turn, each only until it returns to the loop.
  MutableBytes input() noexcept { return input_; }
  std::vector<std::uint8_t>& output() noexcept { return output_; }

  const SignalingServiceOptions& options() const noexcept { return options_; }
  std::size_t sessions() const noexcept { return sessions_.size(); }
  const SignalingServiceCounters& counters() const noexcept { return counters_; }

 private:
  class Registration;

  void perform(signaling::Deliveries deliveries);
  std::vector<signaling::SessionId> send(const signaling::Deliveries& deliveries);
  void flush();
  void notice_joined(WebSocketSession& session);
  void arm_timer();

  signaling::Hub& hub_;
  const SignalingServiceOptions options_;
  Logger logger_;
  LogLimit end_lines_;
  asio::steady_timer hub_timer_;
  std::optional<TimePoint> armed_for_;
  asio::steady_timer drained_;  // cancelled when the last session has gone
  bool is_stopping_ = false;
  std::uint64_t last_session_id_ = 0;
  std::unordered_map<signaling::SessionId, std::shared_ptr<WebSocketSession>> sessions_;
  std::vector<std::uint8_t> input_, output_;
  std::vector<std::shared_ptr<WebSocketSession>> unflushed_;
  int gatherings_ = 0;
  SignalingServiceCounters counters_;
};

}  // namespace causeway::http
