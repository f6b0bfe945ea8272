// SPDX-License-Identifier: Apache-2.0
// Listens on one address and port for TCP, and hands every connection to TURN or HTTP by its first octet.
//
//   first octet        a `tcp` listener     a `tls` listener
//   0–3 (STUN)         TURN                 plain TURN on the same port; closed where `encrypted_only`
//   22 (TLS)           closed               TLS handshake, then by the first decrypted octet: 0–3 TURN, letter HTTP
//   an ASCII letter    HTTP                 answered with a plain "this port speaks HTTPS", closed
//   anything else      closed               closed
//
// The first octet has to come within 10 s, the TLS handshake within 20 s with the time that it waits for its turn.
// ChannelData cannot come first. A StreamAdmission decides who may connect, and may close a session at any time.
//
// Behind proxies, every connection has to come from one of them and to begin with a header of the PROXY protocol, in
// front of TLS too and within 10 s as well. All others are closed: who is no trusted proxy could claim any address, and
// without a header a client of the proxy would pass for the proxy itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"
#include "net/stream_admission.hpp"

namespace causeway::net {

class TlsContext;

// Behind a proxy both addresses are those that it reports, so that they stay unique: no two clients of one proxy have
// the same pair at the same time. `local` is then seldom an address of this machine.
struct ConnectionFacts {
  Endpoint remote;  // an IPv4 client of a dual-stack listener is IPv4 here
  Endpoint local;   // the address that the client connected to
  bool is_tls = false;
  std::string server_name{};  // that the client asked for by SNI; empty: none
  ConnectionPlace place{};    // whoever authenticates the client says so to it
  TimePoint accepted_at{};
};

// Serves one connection until it ends. `first_bytes` have been read from the stream already; never empty.
// Cancelling the coroutine is how the listener stops a session: whoever starts others of its own ends them with it.
using StreamHandler =
    std::function<asio::awaitable<void>(Stream, std::vector<std::uint8_t> first_bytes, ConnectionFacts)>;

struct StreamHandlers {
  StreamHandler turn;  // empty: such connections are closed
  StreamHandler http;
};

struct StreamListenerOptions {
  Endpoint address;                               // "::" means IPv4 too; port 0: any free one
  std::shared_ptr<const TlsContext> tls_context;  // nullptr: a `tcp` listener
  std::vector<Prefix> proxies{};                  // that speak the PROXY protocol; empty: clients connect themselves
  bool encrypted_only = false;                    // of a `tls` listener: plain TURN is closed
};

struct StreamListenerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t accept_errors = 0;         // out of descriptors or memory
  std::uint64_t not_from_a_proxy = 0;      // although all connections should be
  std::uint64_t proxy_header_missing = 0;  // closed or silent before its end
  std::uint64_t proxy_header_malformed = 0;
  std::uint64_t first_octet_missing = 0;  // closed or silent before the first octet
  std::uint64_t unknown_protocol = 0;
  std::uint64_t tls_handshakes_failed = 0;
  std::uint64_t http_on_tls_port = 0;
  std::uint64_t plain_turn_refused = 0;
};

class StreamListener {
 public:
  // Binds. Throws std::runtime_error with a sentence when the address cannot be listened on. `admission` outlives
  // every session of the listener, so does what the handlers refer to.
  StreamListener(const asio::any_io_executor& executor, StreamListenerOptions options, StreamHandlers handlers,
                 StreamAdmission& admission, Logger logger);
  ~StreamListener();  // stop()
  StreamListener(const StreamListener&) = delete;
  StreamListener& operator=(const StreamListener&) = delete;

  void start();          // begins to accept
  void stop() noexcept;  // stops accepting and ends all sessions, which takes a few turns of the loop. May be repeated.

  // For connections from now on; of a `tls` listener only.
  void set_tls_context(std::shared_ptr<const TlsContext> context);

  Endpoint local_endpoint() const;  // with the port that was really bound
  bool is_tls() const noexcept;
  std::size_t sessions() const noexcept;
  const StreamListenerCounters& counters() const noexcept;

 private:
  struct State;  // shared with the coroutines of the accept loop and the sessions
  std::shared_ptr<State> state_;
};

}  // namespace causeway::net
