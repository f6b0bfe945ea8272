// SPDX-License-Identifier: Apache-2.0
// The server's end of DTLS for all clients of one TurnDriver, which owns it: takes the datagrams that are DTLS, keeps
// the clients' sessions, hands over what they decrypt to. Every client has proved its address by a cookie before
// anything is kept of it. Unfinished handshakes and sessions are limited, and a newcomer always gets a place: the
// network that holds most of them loses its oldest one (FairPool), of the sessions one without an allocation. Silent
// sessions expire.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "causeway/base/fair_pool.hpp"
#include "causeway/base/random.hpp"
#include "causeway/base/timer_queue.hpp"
#include "net/dtls_session.hpp"

namespace causeway::net {

struct DtlsLimits {
  std::size_t handshakes_max = 256;  // unfinished ones, 1 at least; each takes 768 KiB at worst
  std::size_t sessions_max = 8192;   // clients that have finished one
};

struct DtlsCounters {
  std::uint64_t cookies_asked = 0;  // ClientHellos without a valid cookie
  std::uint64_t handshakes_finished = 0;
  std::uint64_t handshakes_evicted = 0;  // for a newcomer's; failed as well
  std::uint64_t handshakes_failed = 0;   // fatal alert or not finished in time
  std::uint64_t sessions_replaced = 0;   // by a new handshake of the same client
  std::uint64_t sessions_expired = 0;    // silent and without an allocation
  std::uint64_t sessions_evicted = 0;    // without an allocation, for a newcomer's
  std::uint64_t sessions_refused = 0;    // all sessions_max had allocations
  std::uint64_t strays = 0;              // neither of a session nor a ClientHello
  std::uint64_t send_failures = 0;       // a message for no session, or too large for a record
};

// Of what all places were taken, so that somebody lost one.
enum class DtlsShortage : std::uint8_t { kHandshakes, kSessions };

class DtlsEndpoint {
 public:
  static constexpr std::chrono::seconds kHandshakeDeadline{30};
  static constexpr std::chrono::seconds kIdleWithoutAllocation{60};

  class Owner : public DtlsSession::Wire {
   public:
    // Headroom and tailroom are those of the room given to on_datagram.
    virtual void on_dtls_message(const turn::ClientRef& client, MutableBytes message, Now now) = 0;
    // The client has finished its handshake and asked for this name by SNI; empty: for none.
    virtual turn::RealmIndex realm_of(const turn::ClientRef& client, std::string_view server_name) const = 0;
    // The session has ended, and the client with it.
    virtual void on_dtls_end(const turn::ClientRef& client, Now now) = 0;
    // The client has lost its place to a newcomer.
    virtual void on_dtls_eviction(DtlsShortage shortage, const IpAddress& client, Now now) = 0;
    // Such a client's session neither expires nor makes room for another.
    virtual bool has_allocation(const turn::FiveTuple& client) const = 0;
  };

  // `random` makes the keys of cookies and tables; `owner` outlives the endpoint. Throws std::runtime_error.
  DtlsEndpoint(const TlsContext& certificate, RandomSource& random, Owner& owner, const DtlsLimits& limits = {});

  // For handshakes from now on; sessions go on with what they have.
  void set_context(std::shared_ptr<const DtlsContext> context) noexcept;

  // A datagram of a client whose transport is kDtls. Messages are decrypted into `room`, which may overlap with it.
  void on_datagram(const turn::ClientRef& client, Bytes datagram, MutableBytes room, Now now);
  // False when the message is lost: there is no such session, or it does not fit a record.
  bool send(const turn::ClientRef& client, Bytes message);
  void on_timer(Now now);
  std::optional<TimePoint> next_deadline() const noexcept { return timers_.next_deadline(); }
  // Says goodbye to all clients; the owner does not hear of it.
  void stop();

  std::size_t clients() const noexcept { return associations_.size(); }
  std::size_t handshakes() const noexcept { return handshakes_.amount(); }
  const DtlsCounters& counters() const noexcept { return counters_; }

 private:
  // RFC 6347 §4.2.8: while a client that has started anew shakes hands, its former session goes on.
  struct Association {
    std::unique_ptr<DtlsSession> established;
    std::unique_ptr<DtlsSession> handshaking;
  };
  using Associations = boost::unordered_flat_map<turn::FiveTuple, Association, turn::FiveTupleHash>;

  void on_client_hello(const turn::ClientRef& client, const ClientRandom& random, Bytes datagram, MutableBytes room,
                       Now now);
  void evict_handshake(Now now);
  // False: there is none that may go.
  bool evict_session(Now now);
  void read_all(Association& association, DtlsSession& session, MutableBytes room, Now now);
  void finish_handshake(Association& association, Now now);
  void end_handshake(Association& association);
  void end_session(Association& association, Now now);
  // Neither may be used afterwards.
  void end(Association& association, DtlsSession& session, Now now);
  void on_deadline(DtlsSession& session, Now now);
  void schedule(DtlsSession& session, Now now);

  std::shared_ptr<const DtlsContext> context_;
  DtlsCookies cookies_;
  Owner& owner_;
  DtlsLimits limits_;
  std::unique_ptr<DtlsSession> listening_;  // becomes the session of the next client with a valid cookie
  Associations associations_;
  FairPool handshakes_;
  FairPool idle_sessions_;  // those that may make room for others: without an allocation when last looked at
  std::size_t sessions_ = 0;
  TimerQueue<DtlsSession> timers_;
  DtlsCounters counters_;
};

}  // namespace causeway::net
