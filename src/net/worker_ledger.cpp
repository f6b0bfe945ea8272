// SPDX-License-Identifier: Apache-2.0
#include "net/worker_ledger.hpp"

namespace causeway::net {

Result<std::uint16_t, turn::RelayOpenError> SharedPorts::open(turn::RelayPorts& ports,
                                                              std::span<const turn::RelayId> relays,
                                                              const IpAddress& local, const IpAddress& advertised,
                                                              turn::PortParity parity, RandomSource& random) {
  const std::lock_guard lock{mutex_};
  return pool_.open(ports, relays, local, advertised, parity, random);
}

void SharedPorts::release(const Endpoint& advertised) noexcept {
  const std::lock_guard lock{mutex_};
  pool_.release(advertised);
}

bool SharedPorts::is_in_use(const IpAddress& advertised) const noexcept {
  const std::lock_guard lock{mutex_};
  return pool_.is_in_use(advertised);
}

std::optional<turn::QuotaError> SharedQuota::take(turn::RealmIndex realm, std::string_view user,
                                                  const IpAddress& source, const turn::QuotaLimits& limits) {
  const std::lock_guard lock{mutex_};
  auto hold = quota_.acquire(realm, user, source, limits, TimePoint{});
  if (!hold) return hold.error();
  hold->detach();
  return std::nullopt;
}

void SharedQuota::give_back(turn::RealmIndex realm, std::string_view user, const IpAddress& source) noexcept {
  const std::lock_guard lock{mutex_};
  quota_.give_back(realm, user, source);
}

std::uint32_t SharedQuota::total() const noexcept {
  const std::lock_guard lock{mutex_};
  return quota_.total();
}

void SharedRelays::add(turn::WorkerIndex worker, const turn::Relay& relay) {
  const std::lock_guard lock{mutex_};
  for (const Endpoint& endpoint : {relay.local, relay.relayed_address}) {
    if (relay.transport == turn::RelayTransport::kTcp) {
      tcp_relays_.insert_or_assign(endpoint, relay);
    } else {
      set_udp(endpoint, static_cast<std::uint8_t>(worker + 1));
    }
  }
}

void SharedRelays::remove(const turn::Relay& relay) noexcept {
  const std::lock_guard lock{mutex_};
  for (const Endpoint& endpoint : {relay.local, relay.relayed_address}) {
    if (relay.transport == turn::RelayTransport::kTcp) {
      tcp_relays_.erase(endpoint);
    } else if (std::atomic<std::uint8_t>* worker = find_udp(endpoint)) {
      worker->store(0, std::memory_order_relaxed);
    }
  }
}

std::atomic<std::uint8_t>* SharedRelays::find_udp(const Endpoint& relay) const noexcept {
  const std::size_t used = addresses_used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    if (addresses_[i]->address == relay.address) return &addresses_[i]->workers[relay.port];
  }
  return nullptr;
}

void SharedRelays::set_udp(const Endpoint& relay, std::uint8_t value) {
  std::atomic<std::uint8_t>* worker = find_udp(relay);
  const std::size_t used = addresses_used_.load(std::memory_order_relaxed);
  if (worker == nullptr && used < kAddressesMax) {
    addresses_[used] = std::make_unique<Address>();
    addresses_[used]->address = relay.address;
    worker = &addresses_[used]->workers[relay.port];
    addresses_used_.store(used + 1, std::memory_order_release);
  }
  if (worker != nullptr) worker->store(value, std::memory_order_relaxed);
}

std::optional<turn::WorkerIndex> SharedRelays::worker_of(const Endpoint& relay) const noexcept {
  const std::atomic<std::uint8_t>* worker = find_udp(relay);
  const std::uint8_t value = worker == nullptr ? 0 : worker->load(std::memory_order_relaxed);
  if (value == 0) return std::nullopt;
  return static_cast<turn::WorkerIndex>(value - 1);
}

std::optional<turn::Relay> SharedRelays::find_tcp(const Endpoint& relay) const {
  const std::lock_guard lock{mutex_};
  const auto found = tcp_relays_.find(relay);
  if (found == tcp_relays_.end()) return std::nullopt;
  return found->second;
}

}  // namespace causeway::net
