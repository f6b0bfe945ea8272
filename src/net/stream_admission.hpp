// SPDX-License-Identifier: Apache-2.0
// Decides for all stream listeners of a daemon who may connect: closes what ConnectionAdmission evicts, paces TLS
// handshakes, and logs refusals at a limited rate. The composition root owns it. It lives on one loop and
// outlives the listeners and the sessions.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "causeway/base/connection_admission.hpp"
#include "causeway/base/log_limit.hpp"
#include "causeway/base/prefix.hpp"
#include "net/asio.hpp"
#include "net/tls_handshakes.hpp"

namespace causeway::net {

class StreamAdmission;

// Handle of one admitted connection. Copies name the same connection; calls on a default one have no effect.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;
  ConnectionPlace(StreamAdmission& admission, ConnectionHandle connection) noexcept
      : admission_(&admission), connection_(connection) {}

  // The client has proven who it is, or has joined a room. On any thread; once is enough.
  void on_authenticated() const;
  // The proxy that connected has named its client. False: the client has too many connections, and this one is to be
  // closed. On the loop of the admission.
  bool identify(const IpAddress& client) const;

 private:
  StreamAdmission* admission_ = nullptr;
  ConnectionHandle connection_{};
};

struct StreamAdmissionOptions {
  ConnectionLimits connections{};
  std::vector<Prefix> trusted_proxies{};  // HTTP proxies, which name their clients in each request
  HandshakeQueueOptions handshakes{};
};

class StreamAdmission {
 public:
  StreamAdmission(const asio::any_io_executor& executor, StreamAdmissionOptions options, std::uint64_t hash_seed,
                  Logger logger);
  StreamAdmission(const StreamAdmission&) = delete;
  StreamAdmission& operator=(const StreamAdmission&) = delete;

  void set_limits(const ConnectionLimits& limits) noexcept { connections_.set_limits(limits); }

  // A connection from `remote`; nullopt: refused. `evict` is called on the loop, once at most and not after close().
  // With `names_client`, `remote` is a proxy that names its client in a header of the PROXY protocol.
  std::optional<ConnectionHandle> open(const IpAddress& remote, bool names_client, std::function<void()> evict);
  void close(ConnectionHandle connection) noexcept;

  bool identify(ConnectionHandle connection, const IpAddress& client);
  void on_authenticated(ConnectionHandle connection);

  // As TlsHandshakes::perform().
  asio::awaitable<error_code> handshake(Stream& stream, std::shared_ptr<const TlsContext> context, IpAddress source);

  const ConnectionAdmission& connections() const noexcept { return connections_; }
  const HandshakeQueueCounters& handshakes() const noexcept { return handshakes_.queue().counters(); }

 private:
  friend class ConnectionPlace;

  // Whether connections from there belong to no source: this machine's own (health checks, a proxy beside the daemon),
  // and HTTP proxies. Programs on this machine connect from these two addresses.
  bool is_trusted(const IpAddress& remote) const noexcept;
  void carry_out(const ConnectionAdmission::Decision& decision, const IpAddress& source, TimePoint now);
  void log(const ConnectionAdmission::Decision& decision, const IpAddress& source, TimePoint now);

  asio::any_io_executor executor_;
  std::vector<Prefix> trusted_proxies_;
  Logger logger_;
  ConnectionAdmission connections_;
  TlsHandshakes handshakes_;
  std::vector<std::function<void()>> evict_;  // by the index of the handle
  LogLimit log_limit_;
};

}  // namespace causeway::net
