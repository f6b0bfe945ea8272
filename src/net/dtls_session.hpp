// SPDX-License-Identifier: Apache-2.0
// One client's DTLS 1.2 association, or the one that waits for a ClientHello with a valid cookie. Datagrams go in,
// decrypted messages come out, datagrams to send go to a Wire at once; no socket and no clock of its own.
// The DtlsEndpoint owns it, its deadline and its place in a pool. OpenSSL counts the time between retransmissions by
// the system's clock. No error leaves it but as the state kEnded: what is malformed or not authentic is dropped
// silently (RFC 6347 §4.1.2.7).
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "causeway/base/bytes.hpp"
#include "causeway/base/fair_pool.hpp"
#include "causeway/base/time.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "net/dtls_context.hpp"
#include "net/dtls_cookie.hpp"

namespace causeway::net {

// The random value of a ClientHello: the same in all copies of one handshake's, another in the next handshake.
using ClientRandom = std::array<std::uint8_t, 32>;
// nullopt for any other datagram.
std::optional<ClientRandom> find_client_hello(Bytes datagram) noexcept;

class DtlsSession : public Timer, public FairPool::Item {
 public:
  // Where datagrams leave.
  class Wire {
   public:
    virtual ~Wire() = default;
    virtual void send_datagram(const turn::ClientRef& client, Bytes datagram) = 0;
  };
  static constexpr std::size_t kMessageBytesMax = 16 * 1024;  // RFC 6347 §4.1.1
  // Of a client that is shaking hands, records that it encrypts already: a few copies of its Finished.
  static constexpr std::size_t kEarlyRecordsMax = 16;
  enum class State : std::uint8_t { kListening, kHandshaking, kEstablished, kEnded };

  // Cookies and wire outlive it. Throws std::bad_alloc.
  DtlsSession(std::shared_ptr<const DtlsContext> context, const DtlsCookies& cookies, Wire& wire);
  DtlsSession(const DtlsSession&) = delete;
  DtlsSession& operator=(const DtlsSession&) = delete;

  State state() const noexcept { return state_; }
  const turn::ClientRef& client() const noexcept { return client_; }
  void set_realm(turn::RealmIndex realm) noexcept { client_.realm = realm; }
  // What the client of a finished handshake asked for by SNI; empty: nothing.
  std::string server_name() const { return server_name_of(ssl_.get()); }
  const ClientRandom& client_random() const noexcept { return client_random_; }

  // While kListening: true once the ClientHello carries a valid cookie, and from then on this is the client's. Any
  // other gets a HelloVerifyRequest at most and leaves no trace.
  bool listen(const turn::ClientRef& client, const ClientRandom& random, Bytes datagram, TimePoint now);

  // The next datagram, to be read() until that returns 0.
  void receive(Bytes datagram) noexcept;
  // Decrypts the next message and performs the handshake; 0 when there is no message (left). `room`, of
  // kMessageBytesMax at least, may overlap with the datagram.
  std::size_t read(MutableBytes room);
  // One message, one record, one datagram. False when it does not fit a record or the session is not established.
  bool write(Bytes message);

  // The time until the flight under way is to be repeated; nullopt when there is none.
  std::optional<Duration> retransmission_in() const;
  // Repeats it if it is due (RFC 6347 §4.2.4).
  void retransmit();
  // Says close_notify (RFC 5246 §7.2.1) if there is somebody to hear it.
  void close();

  // For the OpenSSL callbacks of DtlsContext.
  Bytes take_incoming() noexcept { return std::exchange(incoming_, {}); }
  void send_outgoing(Bytes datagram) { wire_.send_datagram(client_, datagram); }
  DtlsCookies::Cookie make_cookie() const { return cookies_.make(client_.five_tuple, listened_at_); }
  bool is_valid_cookie(Bytes cookie) const { return cookies_.is_valid(cookie, client_.five_tuple, listened_at_); }

  // For the owner.
  TimePoint started_at() const noexcept { return listened_at_; }
  TimePoint last_message_at{};

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  std::shared_ptr<const DtlsContext> context_;  // the BIO of ssl_ uses its methods
  const DtlsCookies& cookies_;
  Wire& wire_;
  std::unique_ptr<SSL, Free> ssl_;
  turn::ClientRef client_;
  ClientRandom client_random_{};
  TimePoint listened_at_{};
  Bytes incoming_;
  std::size_t early_records_ = 0;
  State state_ = State::kListening;
};

}  // namespace causeway::net
