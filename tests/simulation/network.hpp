// SPDX-License-Identifier: Apache-2.0
// The network between the hosts of a simulated world: datagrams are lost, doubled, delayed and overtaken; streams keep
// their order, arrive in pieces of any size and may break.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "event_queue.hpp"
#include "nat.hpp"
#include "random.hpp"

namespace causeway::simulation {

using Octets = std::vector<std::uint8_t>;

struct LinkQuality {
  double loss = 0;
  double duplication = 0;
  double very_late = 0;  // seconds instead of milliseconds
  Duration delay{};
  Duration jitter{};  // greater than the gap between two packets: they overtake each other
};

// A TCP connection, or TLS on top of it. Both ends hold it; once closed it stays so.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  enum Side : std::uint8_t { kClient, kServer };
  struct End {
    std::function<void(Bytes)> on_bytes;
    std::function<void()> on_closed;
  };

  Stream(EventQueue& queue, Random& random, const LinkQuality& quality, const Endpoint& client, const Endpoint& server)
      : client_(client), server_(server), queue_(queue), random_(random), quality_(quality) {}

  const Endpoint& client() const noexcept { return client_; }  // as the server sees it
  const Endpoint& server() const noexcept { return server_; }
  bool is_open() const noexcept { return !closed_[kClient] && !closed_[kServer]; }
  void listen(Side side, End end) { ends_[side] = std::move(end); }

  void write(Side from, Bytes bytes);
  // The other side learns of it when everything that was written before has arrived.
  void close(Side by);
  // The path is gone without a word: each side notices some time later.
  void cut();

 private:
  static Side other(Side side) noexcept { return side == kClient ? kServer : kClient; }
  TimePoint arrival(Side from);
  void notice(Side side);

  Endpoint client_;
  Endpoint server_;
  EventQueue& queue_;
  Random& random_;
  const LinkQuality& quality_;
  bool cut_ = false;
  std::array<bool, 2> closed_{};
  std::array<TimePoint, 2> last_arrival_{};
  std::array<End, 2> ends_;
};

class Network {
 public:
  using Receive = std::function<void(const Endpoint& from, const Endpoint& to, Bytes)>;
  using Accept = std::function<void(const std::shared_ptr<Stream>&)>;

  Network(EventQueue& queue, Random& random, const LinkQuality& quality)
      : queue_(queue), random_(random), quality_(quality) {}

  // A socket, inside of its host's NAT if there is one.
  void open(const Endpoint& socket, Receive receive) { sockets_.insert_or_assign(socket, std::move(receive)); }
  void close(const Endpoint& socket) { sockets_.erase(socket); }
  // All sockets of an address, and its connections.
  void open_host(const IpAddress& address, Receive receive, Accept accept) {
    hosts_.insert_or_assign(address, Host{std::move(receive), std::move(accept)});
  }
  void put_behind(const IpAddress& inside, const std::shared_ptr<Nat>& nat) {
    nats_by_inside_[inside] = nat;
    nats_by_external_[nat->external()] = nat;
  }

  void send(const Endpoint& from, const Endpoint& to, Octets bytes);
  // nullptr when nobody listens there.
  std::shared_ptr<Stream> connect(const Endpoint& from, const Endpoint& to);
  // What `to` sees packets from `inside` come from, now.
  std::optional<Endpoint> seen_from(const Endpoint& inside, const Endpoint& to) const;

 private:
  struct Host {
    Receive receive;
    Accept accept;
  };
  Endpoint outside(const Endpoint& inside, const Endpoint& to);
  void deliver(const Endpoint& from, const Endpoint& to, const Octets& bytes);

  EventQueue& queue_;
  Random& random_;
  LinkQuality quality_;
  std::map<Endpoint, Receive> sockets_;
  std::map<IpAddress, Host> hosts_;
  std::map<IpAddress, std::shared_ptr<Nat>> nats_by_inside_;
  std::map<IpAddress, std::shared_ptr<Nat>> nats_by_external_;
};

}  // namespace causeway::simulation
