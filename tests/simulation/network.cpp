// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;

TimePoint Stream::arrival(Side from) {
  Duration delay = quality_.delay + random_.between(Duration{0}, quality_.jitter);
  if (random_.chance(quality_.loss)) delay += random_.between(200ms, 2s);  // TCP sends it again
  return last_arrival_[from] = std::max(last_arrival_[from], queue_.time() + delay);
}

void Stream::write(Side from, Bytes bytes) {
  if (closed_[from] || cut_) return;
  while (!bytes.empty()) {
    const std::size_t size =
        random_.chance(0.8) ? bytes.size() : 1 + random_.below(static_cast<std::uint32_t>(bytes.size()));
    queue_.at(arrival(from), [self = shared_from_this(), from, piece = Octets{bytes.begin(), bytes.begin() + size}] {
      if (!self->closed_[other(from)] && !self->cut_) self->ends_[other(from)].on_bytes(piece);
    });
    bytes = bytes.subspan(size);
  }
}

void Stream::close(Side by) {
  if (closed_[by]) return;
  closed_[by] = true;
  if (!cut_) queue_.at(arrival(by), [self = shared_from_this(), by] { self->notice(other(by)); });
}

void Stream::cut() {
  if (cut_ || !is_open()) return;
  cut_ = true;
  queue_.after(random_.between(1s, 30s), [self = shared_from_this()] { self->notice(kClient); });
  queue_.after(random_.between(1s, 30min), [self = shared_from_this()] { self->notice(kServer); });
}

void Stream::notice(Side side) {
  if (closed_[side]) return;
  closed_[side] = true;
  ends_[side].on_closed();
}

Endpoint Network::outside(const Endpoint& inside, const Endpoint& to) {
  const auto nat = nats_by_inside_.find(inside.address);
  return nat == nats_by_inside_.end() ? inside : nat->second->outbound(inside, to, queue_.time());
}

std::optional<Endpoint> Network::seen_from(const Endpoint& inside, const Endpoint& to) const {
  const auto nat = nats_by_inside_.find(inside.address);
  return nat == nats_by_inside_.end() ? inside : nat->second->mapped(inside, to, queue_.time());
}

void Network::send(const Endpoint& from, const Endpoint& to, Octets bytes) {
  const Endpoint source = outside(from, to);
  const int copies = random_.chance(quality_.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (random_.chance(quality_.loss)) continue;
    Duration delay = quality_.delay + random_.between(Duration{0}, quality_.jitter);
    if (random_.chance(quality_.very_late)) delay += random_.between(1s, 20s);
    queue_.after(delay, [this, source, to, bytes] { deliver(source, to, bytes); });
  }
}

void Network::deliver(const Endpoint& from, const Endpoint& to, const Octets& bytes) {
  if (const auto host = hosts_.find(to.address); host != hosts_.end()) return host->second.receive(from, to, bytes);
  std::optional<Endpoint> socket = to;
  if (const auto nat = nats_by_external_.find(to.address); nat != nats_by_external_.end()) {
    socket = nat->second->inbound(from, to.port, queue_.time());
  }
  if (!socket) return;
  const auto found = sockets_.find(*socket);
  if (found == sockets_.end()) return;
  const Receive receive = found->second;  // the socket may be closed by what it receives
  receive(from, to, bytes);
}

std::shared_ptr<Stream> Network::connect(const Endpoint& from, const Endpoint& to) {
  const auto host = hosts_.find(to.address);
  if (host == hosts_.end()) return nullptr;
  auto stream = std::make_shared<Stream>(queue_, random_, quality_, outside(from, to), to);
  host->second.accept(stream);
  return stream;
}

}  // namespace causeway::simulation
