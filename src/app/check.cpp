// SPDX-License-Identifier: Apache-2.0
#include "app/check.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "app/access_tokens.hpp"
#include "app/external_addresses.hpp"
#include "app/options.hpp"
#include "app/state_directory.hpp"
#include "app/turn_realms.hpp"
#include "causeway/turn/peer_policy.hpp"
#include "http/static_files.hpp"
#include "net/endpoint_conversion.hpp"
#include "net/interfaces.hpp"
#include "net/listen_error.hpp"
#include "net/tls_context.hpp"

namespace causeway::app {
namespace {

using config::Config;
using config::Findings;
using config::Listener;
using config::Severity;
using config::Transport;

constexpr std::size_t kSecretBytesEnough = 16;
constexpr std::chrono::days kRenewalDue{7};

class Socket {
 public:
  Socket(int family, int type) : descriptor_(::socket(family, type | SOCK_CLOEXEC, 0)) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

// 0, or errno. Leaves the socket in `open`, so that no other listener can have the same port.
int open_port(const Listener& listener, std::vector<Socket>& open) {
  const bool stream = is_stream(listener.transport);
  const bool v4 = listener.address.is_v4();
  const int descriptor = open.emplace_back(v4 ? AF_INET : AF_INET6, stream ? SOCK_STREAM : SOCK_DGRAM).descriptor();
  if (descriptor < 0) return errno;
  const int on = 1;
  const int off = 0;
  // A connection in TIME_WAIT does not keep the daemon from listening either.
  if (stream) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!v4) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_storage address{};
  const socklen_t bytes = net::to_sockaddr(listener.endpoint(), address);
  return ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), bytes) == 0 ? 0 : errno;
}

// dtls beside udp: the socket of udp is its own.
bool shares_a_socket(const Listener& listener, const std::vector<Listener>& all) {
  return listener.transport == Transport::kDtls && std::ranges::any_of(all, [&](const Listener& other) {
           return other.transport == Transport::kUdp && other.endpoint() == listener.endpoint();
         });
}

// The listeners, and where NAT discovery is served besides.
std::vector<Listener> all_listeners(const Config& config) {
  std::vector<Listener> all = config.listeners;
  for (const Endpoint& endpoint : config.turn.nat_discovery.endpoints()) {
    const bool is_there = std::ranges::any_of(config.listeners, [&](const Listener& listener) {
      return !is_stream(listener.transport) && listener.port == endpoint.port &&
             listener.address.covers(endpoint.address);
    });
    if (!is_there) all.push_back({Transport::kUdp, endpoint.address, endpoint.port});
  }
  return all;
}

void check_ports(const Config& config, Findings& findings) {
  std::vector<Socket> open;
  for (const Listener& listener : all_listeners(config)) {
    if (shares_a_socket(listener, config.listeners)) continue;
    const int error = open_port(listener, open);
    if (error == 0) continue;
    const boost::system::error_code code{error, boost::system::system_category()};
    findings.push_back(
        {Severity::kError, "", net::listen_error(name_of(listener.transport), listener.endpoint(), code)});
  }
}

std::vector<turn::ExternalAddress> external_addresses(const Config& config, Findings& findings) {
  try {
    asio::io_context io;
    return ExternalAddresses{io.get_executor(), config.turn.external_addresses, nullptr}.current();
  } catch (const std::runtime_error& error) {
    findings.push_back({Severity::kError, "", error.what()});
    return {};
  }
}

void check_addresses(const Config& config, const std::vector<turn::ExternalAddress>& all, Findings& findings) {
  for (const turn::ExternalAddress& external : all) {
    const IpAddress& address = external.external;
    const std::optional<IpAddress>& local = external.local;
    const std::string name = "turn.external_addresses: " + address.to_string();
    if (!turn::PeerPolicy{{}}.allows(address)) {  // the special-purpose ranges
      findings.push_back({Severity::kWarning, "",
                          name + " is not a public address, so clients on the internet cannot "
                                 "reach what is relayed there."});
    }
    const auto fits = [&](const IpAddress& relay) {
      return relay.family() == address.family() && (!local || relay.is_unspecified() || relay == *local);
    };
    if (std::ranges::none_of(config.turn.relay.addresses, fits)) {
      findings.push_back(
          {Severity::kError, "",
           name + (local ? " stands for " + local->to_string() + ", which is not in turn.relay.addresses."
                         : " has no address of its family in turn.relay.addresses that it could stand for.")});
    }
  }
}

void check_nat_discovery(const Config& config, Findings& findings) {
  if (config.turn.binding == config::BindingAccess::kOpen || config.turn.nat_discovery.addresses.empty()) return;
  findings.push_back({Severity::kError, "",
                      "turn.nat_discovery and turn.binding \"allocated\" contradict each other: clients ask for their "
                      "NAT's behaviour without an allocation, and would get no answer. Remove one of the two."});
}

// What turn::RelayAddresses::is_own() will say yes to, each once.
std::vector<IpAddress> own_addresses(const turn::RelayAddressOptions& options) {
  std::vector<IpAddress> own;
  for (const auto* some : {&options.interfaces, &options.default_route, &options.leading_here, &options.relay})
    own.insert(own.end(), some->begin(), some->end());
  for (const turn::ExternalAddress& each : options.external)
    own.push_back(each.external);
  std::erase_if(own, [](const IpAddress& address) { return address.is_unspecified(); });
  std::ranges::sort(own);
  own.erase(std::unique(own.begin(), own.end()), own.end());  // clang 14 cannot compile std::ranges::unique
  return own;
}

// What an `allow` means for the ports of this server itself.
void check_peers(const Config& config, const std::vector<turn::ExternalAddress>& external, Findings& findings) {
  const auto of_machine = net::interface_addresses();
  if (!of_machine) {
    findings.push_back({Severity::kWarning, "",
                        "this machine's addresses cannot be read (" + of_machine.error().message() +
                            "), so the relay may reach services of this server; allow the address family AF_NETLINK."});
  }
  const auto own =
      own_addresses(relay_addresses(config, external, of_machine ? *of_machine : std::vector<IpAddress>{}));
  const turn::PeerPolicy whole{peer_policy(config)};
  for (std::size_t i = 0; i < config.turn.peers.allow.size(); ++i) {
    const Prefix& prefix = config.turn.peers.allow[i];
    const turn::PeerPolicy alone{{.allow = {prefix}}};
    for (const IpAddress& address : own) {
      if (!prefix.contains(address)) continue;
      const std::string name = "turn.peers.allow[" + std::to_string(i) + "] " + prefix.to_string();
      const std::string host = Prefix{address, 128}.to_string();
      if (alone.opens_own_address(address) && whole.opens_own_address(address)) {
        findings.push_back({Severity::kWarning, "",
                            name + " opens every port of this server at " + address.to_string() +
                                ", its own services included, to everybody with credentials for the relay."});
      } else if (alone.allows(address) && !alone.opens_own_address(address) && !whole.opens_own_address(address)) {
        findings.push_back({Severity::kWarning, "",
                            name + " covers this server's own address " + address.to_string() +
                                ", which stays closed; only \"" + host + "\" would open it, with every port."});
      }
    }
  }
}

void check_secrets(const Config& config, Findings& findings) {
  for (std::size_t i = 0; i < config.turn.shared_secrets.size(); ++i) {
    if (config.turn.shared_secrets[i].size() >= kSecretBytesEnough) continue;
    findings.push_back({Severity::kWarning, "",
                        "turn.shared_secrets[" + std::to_string(i) +
                            "] is so short that it can be guessed; make a long one with: "
                            "openssl rand -base64 32."});
  }
  for (const config::Realm& realm : config.realms) {
    const auto is_short = [](const std::string& secret) { return secret.size() < kSecretBytesEnough; };
    if (std::ranges::none_of(realm.shared_secrets, is_short)) continue;
    findings.push_back({Severity::kWarning, "",
                        "realms: a shared secret of " + realm.realm +
                            " is so short that it can be guessed; make a long one with: openssl rand -base64 32."});
  }
  struct stat status {};
  const bool holds_secrets =
      !config.turn.users.empty() || !config.turn.shared_secrets.empty() || !config.realms.empty() ||
      std::ranges::any_of(config.signaling.tokens.keys, [](const auto& key) { return !key.secret.empty(); });
  if (config.file && holds_secrets && ::stat(config.file->c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    findings.push_back({Severity::kWarning, config.file->string(),
                        "this file holds passwords and every user of this machine can read it; forbid that with: "
                        "chmod o-r " +
                            config.file->string() + "."});
  }
}

void check_token_keys(const Config& config, Findings& findings) {
  try {
    const JwtAccess access{config.signaling.tokens};
  } catch (const std::runtime_error& error) {
    findings.push_back({Severity::kError, "", std::string{error.what()} + "."});
  }
}

void check_folders(const Config& config, Findings& findings) {
  if (config.web.root) {
    try {
      const http::StaticFiles pages{*config.web.root};
    } catch (const std::runtime_error& error) {
      findings.push_back({Severity::kError, "", std::string{error.what()} + "."});
    }
  }
  try {
    if (has_all_secrets(config.state_directory)) return;  // nothing has to be written
  } catch (const std::runtime_error& error) {
    findings.push_back({Severity::kError, "", std::string{"state_directory: "} + error.what()});
    return;
  }
  std::error_code error;
  std::filesystem::path folder = config.state_directory;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  if (!std::filesystem::is_directory(folder, error) || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    findings.push_back({Severity::kError, "",
                        "state_directory: " + config.state_directory.string() +
                            " cannot be written by this user, because of " + folder.string() + "."});
  }
}

void check_certificate(const Config& config, WallTime now, Findings& findings) {
  if (!config.tls.certificate || !config.tls.private_key) return;
  try {
    const net::TlsContext context{*config.tls.certificate, *config.tls.private_key};
    const std::string name = "TLS certificate " + config.tls.certificate->string() + ": ";
    if (context.not_after() < now) {
      findings.push_back({Severity::kError, "", name + "has expired; renew it."});
    } else if (context.not_after() < now + kRenewalDue) {
      findings.push_back({Severity::kWarning, "", name + "expires within a week; renew it."});
    }
    if (context.not_before() > now) {
      findings.push_back({Severity::kError, "", name + "is not valid yet; check the clock of this machine."});
    }
  } catch (const std::runtime_error& error) {
    findings.push_back({Severity::kError, "", std::string{error.what()} + "."});
  }
}

}  // namespace

Findings check(const Config& config, WallTime now) {
  Findings findings;
  check_certificate(config, now, findings);
  check_folders(config, findings);
  check_secrets(config, findings);
  check_token_keys(config, findings);
  const std::vector<turn::ExternalAddress> external = external_addresses(config, findings);
  check_addresses(config, external, findings);
  check_peers(config, external, findings);
  check_nat_discovery(config, findings);
  check_ports(config, findings);
  return findings;
}

}  // namespace causeway::app
