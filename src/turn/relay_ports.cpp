// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/relay_ports.hpp"

namespace causeway::turn {

PortPool::PortPool(std::uint16_t port_min, std::uint16_t port_max)
    : port_min_(port_min), ports_(std::uint32_t{port_max} - port_min + 1) {}

Result<std::uint16_t, RelayOpenError> PortPool::open(RelayPorts& ports, std::span<const RelayId> relays,
                                                     const IpAddress& local, const IpAddress& advertised,
                                                     PortParity parity, RandomSource& random) {
  const auto entry = by_address_.try_emplace(advertised).first;
  AddressPorts& of_address = entry->second;
  of_address.used.resize(ports_);
  const auto offset = open_at_free(ports, relays, local, of_address.used, parity, random);
  if (!offset) {
    if (of_address.used_count == 0) by_address_.erase(entry);
    return offset.error();
  }
  for (std::size_t i = 0; i < relays.size(); ++i)
    of_address.used[*offset + i] = true;
  of_address.used_count += static_cast<std::uint32_t>(relays.size());
  return static_cast<std::uint16_t>(port_min_ + *offset);
}

Result<std::uint32_t, RelayOpenError> PortPool::open_at_free(RelayPorts& ports, std::span<const RelayId> relays,
                                                             const IpAddress& local, const std::vector<bool>& used,
                                                             PortParity parity, RandomSource& random) const {
  for (int attempt = 0; attempt < kOpenAttemptsMax; ++attempt) {
    const auto offset = choose(used, relays.size(), parity, random);
    if (!offset) return RelayOpenError::kNoPortFree;
    const auto error = try_open(ports, relays, {local, static_cast<std::uint16_t>(port_min_ + *offset)});
    if (!error) return *offset;
    if (*error != RelayOpenError::kPortInUse) return *error;
  }
  return RelayOpenError::kPortInUse;
}

std::optional<RelayOpenError> PortPool::try_open(RelayPorts& ports, std::span<const RelayId> relays,
                                                 const Endpoint& first) {
  for (std::size_t i = 0; i < relays.size(); ++i) {
    const auto error = ports.open(relays[i], {first.address, static_cast<std::uint16_t>(first.port + i)});
    if (!error) continue;
    for (const RelayId opened : relays.first(i))
      ports.close(opened);
    return error;
  }
  return std::nullopt;
}

void PortPool::release(const Endpoint& advertised) noexcept {
  const auto found = by_address_.find(advertised.address);
  if (found == by_address_.end()) return;
  found->second.used[static_cast<std::size_t>(advertised.port - port_min_)] = false;
  if (--found->second.used_count == 0) by_address_.erase(found);
}

// The first free place at or behind a random one. While most ports are free that one itself is.
std::optional<std::uint32_t> PortPool::choose(const std::vector<bool>& used, std::size_t count, PortParity parity,
                                              RandomSource& random) const {
  const std::uint32_t start = random.below(ports_);
  for (std::uint32_t step = 0; step < ports_; ++step) {
    const std::uint32_t offset = (start + step) % ports_;
    if (parity == PortParity::kEven && ((port_min_ + offset) & 1) != 0) continue;
    if (offset + count > ports_) continue;
    bool free = true;
    for (std::size_t i = 0; i < count; ++i)
      free = free && !used[offset + i];
    if (free) return offset;
  }
  return std::nullopt;
}

}  // namespace causeway::turn
