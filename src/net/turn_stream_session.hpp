// SPDX-License-Identifier: Apache-2.0
// One TCP or TLS connection of a STUN/TURN client: reads and frames its messages, queues what goes back to it, until a
// ConnectionBind (RFC 6062) makes the rest of it data.
// Lives in TurnDriver::serve for as long as the connection does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/time.hpp"
#include "causeway/stun/framer.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/tcp_relay.hpp"
#include "causeway/turn/worker_index.hpp"
#include "net/asio.hpp"
#include "net/frame_queue.hpp"
#include "net/stream.hpp"
#include "net/stream_admission.hpp"

namespace causeway::net {

class TurnDriver;

class TurnStreamSession {
 public:
  // What the kernel may hold unsent: above it waits in the queue here, where data that is late can be dropped.
  static constexpr int kUnsentBytesMax = 64 * 1024;
  // Deviation: RFC 8489 §6.2.2 leaves closing to the client. One that says nothing is closed, and one that has
  // no allocation for a minute whatever it says (two minutes if it ever had one): connections that cost their opener
  // nothing would pile up.
  static constexpr std::chrono::seconds kFirstMessageDeadline{10};
  static constexpr std::chrono::seconds kWithoutAllocation{60};
  // A client without an allocation takes turns with others of its source (Server::take_stream_turn), but for its first
  // messages, which are all that an honest one needs to authenticate. Meanwhile nothing more of it is read.
  static constexpr std::size_t kMessagesBeforeTurns = 4;
  static constexpr std::chrono::milliseconds kTurnInterval{500};

  // Known to the driver from its first to its last moment, however serve() ends. `accepted_at`, before it came to this
  // driver, counts for kWithoutAllocation. `place` learns that the client has authenticated.
  TurnStreamSession(TurnDriver& driver, Stream stream, const turn::ClientRef& client, const ConnectionPlace& place,
                    TimePoint accepted_at);
  ~TurnStreamSession();
  TurnStreamSession(const TurnStreamSession&) = delete;
  TurnStreamSession& operator=(const TurnStreamSession&) = delete;

  const turn::ClientRef& client() const noexcept { return client_; }

  // Returns when the connection has ended or shall end.
  asio::awaitable<void> run(std::vector<std::uint8_t> first_bytes);

  // Queues one message until flush(). A client that does not read makes data drop and its connection end when it owes
  // itself too many answers, but no memory grow.
  void send(Bytes message);
  // Hands all that is queued to the connection, as far as it takes it.
  void flush() noexcept;
  // Answers a ConnectionBind: what follows its request in the stream goes to the peer of that connection.
  void bind(turn::ConnectionId connection, Bytes answer);
  std::optional<turn::ConnectionId> bound_to() const noexcept { return bound_to_; }

  // Ends run() once all answers are written: the client is another worker's.
  void hand_over(turn::WorkerIndex to) { handed_to_ = to; }
  // After run(). Where hand_over() has been called: the stream, and what was read and is to be handled there.
  struct Departure {
    turn::WorkerIndex to;
    Stream stream;
    std::vector<std::uint8_t> bytes;
  };
  std::optional<Departure> departure();

  // Makes run() return soon.
  void close() noexcept { stream_.close(); }

 private:
  asio::awaitable<void> read_loop(std::vector<std::uint8_t> first_bytes);
  asio::awaitable<void> write_loop();
  asio::awaitable<void> watch_idleness();
  bool has_allocation() const noexcept;
  // Once an allocation, or a connection of one, has proven who the client is.
  void notice_authentication();
  enum class Next : std::uint8_t {
    kRead,  // more octets, unless is_leaving()
    kWait,  // for a turn
    kEnd,   // the stream is out of step for good
  };
  // What has been read, and what comes of it leaves.
  Next handle_frames();
  Next handle_frames(Now now);
  bool may_handle(bool is_known, Now now) noexcept;
  // Nothing more is to be read or answered here.
  bool is_leaving() const noexcept { return bound_to_ || handed_to_; }
  std::vector<std::uint8_t> unhandled() const;

  TurnDriver& driver_;
  Stream stream_;
  turn::ClientRef client_;
  stun::StreamFramer framer_;
  FrameQueue queue_;
  bool is_listed_ = false;           // among those that the driver will flush
  bool is_blocked_ = false;          // the connection takes no more for now
  asio::steady_timer has_to_write_;  // cancelled to wake write_loop: is_blocked_ or is_leaving()
  ConnectionPlace place_;
  bool is_authenticated_ = false;
  TimePoint had_allocation_at_;  // the last time anybody looked; when it was accepted if it never had one
  bool had_message_ = false;
  std::size_t stranger_messages_ = 0;  // that came without an allocation
  bool has_turn_ = false;              // for the next one of them
  std::optional<turn::ConnectionId> bound_to_;
  std::optional<turn::WorkerIndex> handed_to_;
  std::vector<std::uint8_t> handed_request_;  // which made it so
  bool wrote_all_ = false;                    // and nothing else is to be written
  std::vector<std::uint8_t> unframed_;        // what was read behind the last request, besides what framer_ holds
};

}  // namespace causeway::net
