// SPDX-License-Identifier: Apache-2.0
#include "app/external_addresses.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>

#include "causeway/base/printable.hpp"
#include "net/endpoint_conversion.hpp"

namespace causeway::app {
namespace {

using Results = asio::ip::udp::resolver::results_type;

std::vector<IpAddress> addresses_of(const Results& results) {
  std::vector<IpAddress> addresses;
  for (const auto& result : results)
    addresses.push_back(net::from_asio(result.endpoint()).address);
  return addresses;
}

}  // namespace

std::optional<IpAddress> choose_address(const std::vector<IpAddress>& answers, AddressFamily family,
                                        const std::optional<IpAddress>& present) {
  std::optional<IpAddress> lowest;
  for (const IpAddress& answer : answers) {
    if (answer.family() != family) continue;
    if (answer == present) return present;
    if (!lowest || answer < *lowest) lowest = answer;
  }
  return lowest;
}

ExternalAddresses::ExternalAddresses(const asio::any_io_executor& executor,
                                     const std::vector<config::ExternalAddress>& entries, Logger logger)
    : executor_(executor), resolver_(executor), timer_(executor), logger_(std::move(logger)) {
  for (const config::ExternalAddress& entry : entries) {
    if (entry.address) {
      fixed_.push_back({*entry.address, entry.local});
      continue;
    }
    error_code error;
    const Results results = resolver_.resolve(entry.host, "", error);
    bool found = false;
    for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
      if (entry.local && entry.local->family() != family) continue;
      names_.push_back({entry, family, choose_address(addresses_of(results), family, std::nullopt)});
      found = found || names_.back().address;
    }
    if (found) continue;
    throw std::runtime_error("turn.external_addresses: cannot resolve \"" + entry.to_string() + "\" (" +
                             (error ? error.message() : "it has no address of the family") +
                             "). Correct the name, or give the address itself.");
  }
}

// An address that is given precedes what a name has of its family: RelayAddresses takes the last one.
std::vector<turn::ExternalAddress> ExternalAddresses::current() const {
  std::vector<turn::ExternalAddress> all;
  for (const Name& name : names_) {
    if (name.address) all.push_back({*name.address, name.entry.local});
  }
  all.insert(all.end(), fixed_.begin(), fixed_.end());
  return all;
}

void ExternalAddresses::start(Changed changed) {
  if (names_.empty()) return;
  changed_ = std::move(changed);
  net::spawn(executor_, watch(), logger_, "resolution of turn.external_addresses");
}

// A look-up that is under way cannot be ended; its answer is ignored.
void ExternalAddresses::stop() {
  stopped_ = true;
  timer_.cancel();
  resolver_.cancel();
}

asio::awaitable<void> ExternalAddresses::watch() {
  while (!stopped_) {
    timer_.expires_after(kInterval);
    co_await timer_.async_wait(net::kAwait);
    bool changed = false;
    for (std::size_t i = 0; i < names_.size() && !stopped_; ++i) {
      const auto [error, results] = co_await resolver_.async_resolve(names_[i].entry.host, "", net::kAwait);
      if (stopped_) break;
      if (error) {
        logger_->warn("turn.external_addresses: cannot resolve {} ({}); what it stood for stays",
                      quoted_text(names_[i].entry.to_string()), error.message());
        continue;
      }
      changed = take(names_[i], addresses_of(results)) || changed;
    }
    if (changed && !stopped_) changed_();
  }
}

bool ExternalAddresses::take(Name& name, const std::vector<IpAddress>& answers) {
  const auto chosen = choose_address(answers, name.family, name.address);
  if (!chosen || chosen == name.address) return false;
  logger_->info("turn.external_addresses: {} is now {}, which new allocations advertise",
                quoted_text(name.entry.to_string()), chosen->to_string());
  name.address = chosen;
  return true;
}

}  // namespace causeway::app
