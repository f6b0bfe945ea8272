// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_relays.hpp"

#include <sys/socket.h>

#include <boost/asio/post.hpp>

#include "net/endpoint_conversion.hpp"
#include "net/listen_error.hpp"

namespace causeway::net {
namespace {

constexpr int kBacklog = 16;

// RFC 6062 §5.2: connections leave from the port that is listened on, which needs both options on all of its sockets.
void share_port(int descriptor, error_code& error) {
  const int on = 1;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    error = {errno, boost::system::system_category()};
  }
}

turn::RelayOpenError reason_of(const error_code& error) {
  if (error == asio::error::address_in_use) return turn::RelayOpenError::kPortInUse;
  const bool no_address = error == boost::system::errc::address_not_available || error == asio::error::access_denied ||
                          error == asio::error::address_family_not_supported;
  return no_address ? turn::RelayOpenError::kAddressNotAvailable : turn::RelayOpenError::kNoResources;
}

}  // namespace

std::optional<turn::RelayOpenError> TcpRelays::open(turn::RelayId id, const Endpoint& local) {
  const tcp::endpoint endpoint = to_asio<tcp>(local);
  tcp::acceptor acceptor{executor_};
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  // Not before: it would hide that another program listens on the port.
  if (!error) share_port(acceptor.native_handle(), error);
  if (error) return reason_of(error);
  listeners_.insert_or_assign(id.slot, Listener{id, std::move(acceptor), asio::steady_timer{executor_}});
  accept(id);
  return std::nullopt;
}

void TcpRelays::close(turn::RelayId id) noexcept {
  if (find(id) != nullptr) listeners_.erase(id.slot);
}

TcpRelays::Listener* TcpRelays::find(turn::RelayId id) noexcept {
  const auto found = listeners_.find(id.slot);
  return found != listeners_.end() && found->second.id == id ? &found->second : nullptr;
}

void TcpRelays::accept(turn::RelayId id) {
  Listener* listener = find(id);
  if (listener == nullptr) return;
  listener->acceptor.async_accept([this, id](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      on_accepted(id, std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      ++accept_errors_;
      Listener* pausing = find(id);
      if (pausing == nullptr) return;
      pausing->pause.expires_after(kAcceptPause);
      pausing->pause.async_wait([this, id](const error_code& cancelled) {
        if (!cancelled) accept(id);
      });
      return;
    }
    accept(id);
  });
}

void TcpRelays::on_accepted(turn::RelayId id, tcp::socket socket) {
  error_code gone;
  const tcp::endpoint from = socket.remote_endpoint(gone);
  if (gone) return;
  if (const auto connection = owner_.on_peer_connection(id, from_asio(from))) {
    connections_.emplace(*connection, std::move(socket));
  }
}

void TcpRelays::connect(const turn::Connect& wanted) {
  const turn::ConnectionId id = wanted.connection;
  const tcp::endpoint local = to_asio<tcp>(wanted.local);
  tcp::socket& socket = connections_.try_emplace(id, tcp::socket{executor_}).first->second.socket;
  error_code error;
  socket.open(local.protocol(), error);
  if (!error) socket.set_option(tcp::socket::reuse_address(true), error);
  if (!error) share_port(socket.native_handle(), error);
  if (!error) socket.bind(local, error);
  if (error) {
    asio::post(executor_, [this, id] { finish_connect(id, false); });
    return;
  }
  socket.async_connect(to_asio<tcp>(wanted.remote),
                       [this, id](const error_code& failed) { finish_connect(id, !failed); });
}

void TcpRelays::finish_connect(turn::ConnectionId id, bool established) {
  const bool usable = established && connections_.contains(id);  // close_connection() may have been quicker
  const bool wanted = owner_.on_connect_result(id, usable);
  if (!usable || !wanted) connections_.erase(id);
}

void TcpRelays::close_connection(turn::ConnectionId id) noexcept {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (found->second.splice != nullptr) {
    found->second.splice->abort();
  } else {
    reset(found->second.socket);
    connections_.erase(found);
  }
}

asio::awaitable<void> TcpRelays::splice(turn::ConnectionId id, Stream& client, std::vector<std::uint8_t> first_bytes,
                                        Splice::Observer observer) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) co_return reset(client.next_layer());
  struct Forget {
    TcpRelays& relays;
    turn::ConnectionId id;
    ~Forget() { relays.connections_.erase(id); }
  } forget{*this, id};
  Stream peer{std::move(found->second.socket)};
  Splice splice{client, peer, std::move(observer)};
  found->second.splice = &splice;
  co_await splice.run(std::move(first_bytes));
}

}  // namespace causeway::net
