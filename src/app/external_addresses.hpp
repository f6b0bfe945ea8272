// SPDX-License-Identifier: Apache-2.0
// What relayed addresses advertise: turn.external_addresses with its names resolved, at the start and then once a
// minute in the background. A name that fails later keeps the addresses it had.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "causeway/turn/relay_addresses.hpp"
#include "config/config.hpp"
#include "net/asio.hpp"

namespace causeway::app {

class ExternalAddresses {
 public:
  using Changed = std::function<void()>;
  static constexpr std::chrono::seconds kInterval{60};

  // Throws std::runtime_error for a name that has no address.
  ExternalAddresses(const asio::any_io_executor& executor, const std::vector<config::ExternalAddress>& entries,
                    Logger logger);

  std::vector<turn::ExternalAddress> current() const;
  // Calls `changed` whenever current() has changed, as a name has come to stand for another address, until stop().
  void start(Changed changed);
  // At once instead of in a minute: this machine has moved to another network.
  void resolve_again() { timer_.cancel(); }
  void stop();

 private:
  // One family of one entry.
  struct Name {
    config::ExternalAddress entry;
    AddressFamily family;
    std::optional<IpAddress> address;
  };
  asio::awaitable<void> watch();
  bool take(Name& name, const std::vector<IpAddress>& answers);

  asio::any_io_executor executor_;
  asio::ip::udp::resolver resolver_;
  asio::steady_timer timer_;
  std::vector<turn::ExternalAddress> fixed_;
  std::vector<Name> names_;
  Changed changed_;
  Logger logger_;
  bool stopped_ = false;
};

// Which of a name's addresses to advertise: the present one while it is among them, else the lowest of the family, so
// that a name with several does not change with their order. nullopt: it has none of the family.
std::optional<IpAddress> choose_address(const std::vector<IpAddress>& answers, AddressFamily family,
                                        const std::optional<IpAddress>& present);

}  // namespace causeway::app
