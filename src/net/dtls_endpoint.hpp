// SPDX-License-Identifier: Apache-2.0
// The server's end of DTLS for all clients of one TurnDriver, which owns it: takes the datagrams that are DTLS, keeps
// the clients' sessions, hands over what they decrypt to. Every session has proved its address by a cookie before it
// exists; unfinished handshakes, those of one address, and sessions are limited; silent sessions expire.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "causeway/base/random.hpp"
#include "causeway/base/timer_queue.hpp"
#include "net/dtls_session.hpp"

namespace causeway::net {

struct DtlsLimits {
  std::size_t handshakes_max = 256;             // unfinished ones; each takes 768 KiB at worst
  std::size_t handshakes_per_address_max = 32;  // per IPv4 address or IPv6 /64
  std::size_t sessions_max = 8192;              // clients with a session or an unfinished handshake
};

struct DtlsCounters {
  std::uint64_t cookies_asked = 0;       // ClientHellos without a valid cookie
  std::uint64_t handshakes_refused = 0;  // a limit was reached
  std::uint64_t handshakes_finished = 0;
  std::uint64_t handshakes_failed = 0;  // fatal alert or not finished in time
  std::uint64_t sessions_replaced = 0;  // the client has started anew
  std::uint64_t sessions_expired = 0;   // silent and without an allocation
  std::uint64_t strays = 0;             // neither of a session nor a ClientHello
  std::uint64_t send_failures = 0;      // a message for no session, or too large for a record
};

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
    // Such a client's session does not expire.
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
  std::size_t handshakes() const noexcept { return handshakes_; }
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
  bool has_room_for(const turn::FiveTuple& client) const;
  void read_all(Association& association, DtlsSession& session, MutableBytes room, Now now);
  void finish_handshake(Association& association, Now now);
  void end_handshake(Association& association);
  void forget_handshake(const IpAddress& address);
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
  boost::unordered_flat_map<IpAddress, std::size_t, IpAddressHash> handshakes_by_address_;
  std::size_t handshakes_ = 0;
  TimerQueue<DtlsSession> timers_;
  DtlsCounters counters_;
};

}  // namespace causeway::net
