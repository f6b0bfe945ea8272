// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/relay_ports.hpp"

namespace causeway::turn {

PortPool::PortPool(std::uint16_t port_min, std::uint16_t port_max)
    : port_min_(port_min), ports_(std::uint32_t{port_max} - port_min + 1) {}

Result<std::uint16_t, RelayOpenError> PortPool::open(RelayPorts& ports, RelayId id, const IpAddress& address,
                                                     PortParity parity, RandomSource& random) {
  AddressPorts& of_address = by_address_[address];
  of_address.used.resize(ports_);
  for (int attempt = 0; attempt < kOpenAttemptsMax; ++attempt) {
    const auto offset = choose(of_address.used, parity, random);
    if (!offset) return RelayOpenError::kNoResources;
    const auto port = static_cast<std::uint16_t>(port_min_ + *offset);
    const auto error = ports.open(id, {address, port});
    if (!error) {
      of_address.used[*offset] = true;
      ++of_address.used_count;
      return port;
    }
    if (*error != RelayOpenError::kPortInUse) return *error;
  }
  return RelayOpenError::kPortInUse;
}

void PortPool::release(const Endpoint& local) noexcept {
  const auto found = by_address_.find(local.address);
  if (found == by_address_.end()) return;
  found->second.used[static_cast<std::size_t>(local.port - port_min_)] = false;
  --found->second.used_count;
}

bool PortPool::is_in_use(const IpAddress& address) const noexcept {
  const auto found = by_address_.find(address);
  return found != by_address_.end() && found->second.used_count > 0;
}

// The first free port at or behind a random place. While most ports are free that place itself is.
std::optional<std::uint32_t> PortPool::choose(const std::vector<bool>& used, PortParity parity,
                                              RandomSource& random) const {
  const std::uint32_t start = random.below(ports_);
  for (std::uint32_t step = 0; step < ports_; ++step) {
    const std::uint32_t offset = (start + step) % ports_;
    if (used[offset]) continue;
    if (parity == PortParity::kEven && ((port_min_ + offset) & 1) != 0) continue;
    return offset;
  }
  return std::nullopt;
}

}  // namespace causeway::turn
