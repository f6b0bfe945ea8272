// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <ostream>
#include <system_error>

#include "app/announcement.hpp"
#include "app/loggers.hpp"
#include "app/member_ice_servers.hpp"
#include "app/state_directory.hpp"
#include "app/turn_log.hpp"
#include "causeway/signaling/hub.hpp"
#include "http/service.hpp"
#include "http/signaling_service.hpp"
#include "net/interfaces.hpp"
#include "net/listen_error.hpp"
#include "net/stream_listener.hpp"
#include "net/system_clock.hpp"
#include "net/system_random.hpp"
#include "net/tls_context.hpp"
#include "net/turn_driver.hpp"

namespace causeway::app {
namespace {

using config::Config;
using config::Listener;
using config::Transport;

// Connections that are neither a member's WebSocket nor a TURN client's: pages being loaded, handshakes.
constexpr std::size_t kOtherConnectionsMax = 1024;

// A second signal after this time means that whoever sent it does not want to wait any longer.
constexpr std::chrono::milliseconds kImpatience{500};

std::vector<IpAddress> of_both_families(std::optional<IpAddress> (*find)(AddressFamily)) {
  std::vector<IpAddress> found;
  for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
    if (const auto address = find(family)) found.push_back(*address);
  }
  return found;
}

// The addresses by which other machines reach this one, the likeliest first.
std::vector<IpAddress> lan_addresses() {
  std::vector<IpAddress> addresses = of_both_families(net::default_route_source);
  for (const IpAddress& address : net::interface_addresses()) {
    if (address.is_v4() && !address.is_loopback()) addresses.push_back(address);
  }
  return addresses;
}

turn::NatDiscoveryOptions nat_discovery_options(const config::NatDiscovery& config) {
  turn::NatDiscoveryOptions options;
  options.port = config.port;
  options.alternate_port = config.alternate_port;
  for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
    std::vector<turn::NatDiscoveryOptions::Address> addresses;
    for (std::size_t i = 0; i < config.addresses.size(); ++i) {
      const IpAddress& local = config.addresses[i];
      if (local.family() != family) continue;
      addresses.push_back({local, config.external_addresses.empty() ? local : config.external_addresses[i]});
    }
    if (addresses.size() == 2) options.pairs.push_back({addresses[0], addresses[1]});
  }
  return options;
}

turn::ServerOptions turn_options(const Config& config) {
  turn::ServerOptions options;
  options.limits.allocation_lifetime_max = config.turn.lifetimes.allocation_seconds_max;
  options.limits.allocations_total_max = config.turn.limits.allocations_total;
  options.limits.permissions_per_allocation_max = config.turn.limits.permissions_per_allocation;
  options.limits.channels_per_allocation_max = config.turn.limits.channels_per_allocation;
  options.limits.unauthenticated_answers_per_second_max = config.turn.limits.unauthenticated_answers_per_second;
  options.relay_port_min = config.turn.relay.port_min;
  options.relay_port_max = config.turn.relay.port_max;
  options.peers = {config.turn.peers.allow, config.turn.peers.deny, config.turn.peers.lan};
  options.relay_addresses = {config.turn.relay.addresses, of_both_families(net::default_route_source),
                             config.turn.external_addresses, net::interface_addresses()};
  options.mobility = config.turn.mobility;
  options.nat_discovery = nat_discovery_options(config.turn.nat_discovery);
  return options;
}

signaling::HubOptions hub_options(const Config& config) {
  signaling::HubOptions options;
  options.sessions_max = config.signaling.sessions_max;
  options.rooms_max = config.signaling.rooms_max;
  options.room_members_max = config.signaling.room_members_max;
  options.message_bytes_max = config.signaling.message_bytes_max;
  options.resume_grace = config.signaling.resume_grace_seconds;
  options.away_max = config.signaling.sessions_max;
  return options;
}

http::SignalingServiceOptions signaling_options(const Config& config) {
  http::SignalingServiceOptions options;
  options.origins = config.signaling.origins;
  options.message_bytes_max = config.signaling.message_bytes_max;
  options.outbound_bytes_max = config.signaling.queue_bytes_max;
  return options;
}

std::vector<std::string> shared_secrets(const Config& config, const KeptSecrets& kept) {
  return config.turn.shared_secrets.empty() ? std::vector{kept.shared_secret} : config.turn.shared_secrets;
}

std::vector<turn::RealmOptions> turn_realms(const Config& config, const KeptSecrets& kept) {
  auto credentials =
      std::make_shared<const turn::Credentials>(config.realm, config.turn.users, shared_secrets(config, kept));
  return {{std::move(credentials), {config.turn.limits.allocations_per_user}}};
}

std::shared_ptr<const net::TlsContext> tls_context(const Config& config, const StateDirectory& state,
                                                   spdlog::logger& logger) {
  const bool wanted = std::any_of(config.listeners.begin(), config.listeners.end(),
                                  [](const Listener& listener) { return needs_certificate(listener.transport); });
  if (!wanted) return nullptr;
  if (config.tls.certificate && config.tls.private_key) {
    auto context = std::make_shared<net::TlsContext>(*config.tls.certificate, *config.tls.private_key);
    // It may be renewed in a minute: no reason to keep plain TURN from starting.
    if (context->not_after() <= read_clock().wall) {
      logger.error("{} has expired: clients will refuse TLS until it is renewed and the daemon restarted",
                   config.tls.certificate->string());
    }
    return context;
  }
  const CertificateFiles files = state.self_signed_certificate(read_clock().wall);
  return std::make_shared<net::TlsContext>(files.certificate, files.private_key);
}

http::StaticFiles pages(const config::Web& web) {
  if (web.root) return http::StaticFiles{*web.root};
  return http::StaticFiles{http::web_assets()};
}

// A relay is a descriptor; the soft limit of most systems is far below what the hard one allows.
void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Daemon {
 public:
  explicit Daemon(const Config& config);
  int run(std::ostream& out);

 private:
  void listen(const Listener& listener);
  void listen_datagram(const Listener& listener);
  void listen_stream(const Listener& listener);
  void listen_for_nat_discovery();
  void await_signal();
  asio::awaitable<void> stop();

  const Config& config_;
  StateDirectory state_;
  KeptSecrets secrets_;
  Loggers loggers_;
  net::SystemRandom random_;
  std::shared_ptr<const net::TlsContext> tls_;
  asio::io_context io_;
  TurnLog turn_log_;
  net::TurnDriver turn_;
  MemberIceServers ice_servers_;
  signaling::Hub hub_;
  http::SignalingService signaling_;
  http::Service http_;
  net::ConnectionBudget connections_;
  std::vector<std::unique_ptr<net::StreamListener>> stream_listeners_;
  std::vector<Listener> bound_;  // as configured, with the port that was really bound
  asio::signal_set signals_;
  std::optional<TimePoint> stopping_since_;
};

Daemon::Daemon(const Config& config)
    : config_(config),
      state_(config.state_directory),
      secrets_(state_.secrets()),
      loggers_(make_loggers(config.log)),
      tls_(tls_context(config, state_, *loggers_.app)),
      turn_log_(loggers_.turn),
      turn_(io_.get_executor(), turn_options(config), turn_realms(config, secrets_), secrets_.nonce_key, random_,
            turn_log_),
      ice_servers_(shared_secrets(config, secrets_).front(), config.turn.public_host, config.signaling.ice_ttl_seconds),
      hub_(hub_options(config), ice_servers_, random_),
      signaling_(io_.get_executor(), hub_, signaling_options(config), loggers_.signaling),
      http_(pages(config.web), signaling_, loggers_.http),
      connections_{config.signaling.sessions_max + config.turn.limits.allocations_total + kOtherConnectionsMax},
      signals_(io_.get_executor(), SIGINT, SIGTERM) {
  if (tls_) turn_.enable_dtls(*tls_);
  for (const Listener& listener : config.listeners)
    listen(listener);
  listen_for_nat_discovery();
  ice_servers_.set_listeners(bound_);
}

void Daemon::listen(const Listener& listener) {
  if (is_stream(listener.transport)) {
    listen_stream(listener);
  } else {
    listen_datagram(listener);
  }
}

void Daemon::listen_datagram(const Listener& listener) {
  const auto transport = listener.transport == Transport::kDtls ? turn::Transport::kDtls : turn::Transport::kUdp;
  Listener bound = listener;
  auto opened = turn_.listen(bound.endpoint(), transport);
  const bool wildcard_v6 = listener.address.is_unspecified() && !listener.address.is_v4();
  if (!opened && wildcard_v6 && net::means_no_ipv6(opened.error())) {
    loggers_.net->warn("{} {}: this machine has no IPv6, listening on 0.0.0.0 only", name_of(listener.transport),
                       listener.endpoint().to_string());
    bound.address = IpAddress{};
    opened = turn_.listen(bound.endpoint(), transport);
  }
  if (!opened)
    throw std::runtime_error(net::listen_error(name_of(listener.transport), listener.endpoint(), opened.error()));
  bound.port = opened->port;
  bound_.push_back(bound);
}

void Daemon::listen_stream(const Listener& listener) {
  net::StreamHandlers handlers;
  if (listener.turn) {
    handlers.turn = [this](net::Stream stream, std::vector<std::uint8_t> first_bytes, net::ConnectionFacts facts) {
      return turn_.serve(std::move(stream), std::move(first_bytes), facts);
    };
  }
  if (listener.http) {
    handlers.http = [this](net::Stream stream, std::vector<std::uint8_t> first_bytes, net::ConnectionFacts facts) {
      return http_.serve(std::move(stream), std::move(first_bytes), facts);
    };
  }
  const bool tls = listener.transport == Transport::kTls;
  const auto& opened = stream_listeners_.emplace_back(std::make_unique<net::StreamListener>(
      io_.get_executor(),
      net::StreamListenerOptions{listener.endpoint(), tls ? tls_ : nullptr, listener.proxy_protocol},
      std::move(handlers), connections_, loggers_.net));
  bound_.push_back(listener);
  bound_.back().port = opened->local_endpoint().port;
  const bool others_reach_it = !listener.address.is_loopback() && listener.proxy_protocol.empty();
  if (tls && listener.http && others_reach_it) http_.set_https_port(bound_.back().port);
}

// Deviation: RFC 5780 §6 opens pairs of ports for TCP and TLS as well. Only UDP can be answered from elsewhere, so over
// connections there is no more than the operator's listeners.
void Daemon::listen_for_nat_discovery() {
  for (const Endpoint& endpoint : config_.turn.nat_discovery.endpoints()) {
    const auto opened = turn_.answer_binding_at(endpoint);
    if (!opened) throw std::runtime_error(net::listen_error("udp", endpoint, opened.error()));
  }
}

int Daemon::run(std::ostream& out) {
  turn_.start();
  for (const auto& listener : stream_listeners_)
    listener->start();
  http_.set_ready(true);
  await_signal();
  out << announcement({config_, bound_, lan_addresses(), state_.admin_token_file()}) << std::flush;
  ::sd_notify(0, "READY=1");
  try {
    io_.run();
  } catch (const std::exception& error) {
    loggers_.app->critical("{}: leaving; this is a fault of the program", error.what());
    std::_Exit(1);
  }
  return 0;
}

void Daemon::await_signal() {
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) return;
    if (stopping_since_) {
      // timeout(1) and others send one signal twice, once to the process and once to its group.
      if (read_clock().steady - *stopping_since_ < kImpatience) return await_signal();
      loggers_.app->warn("signal {} once more: leaving at once", signal);
      std::_Exit(1);  // connections are still open, and nothing may outlive what they refer to
    }
    stopping_since_ = read_clock().steady;
    loggers_.app->info("signal {}: stopping", signal);
    ::sd_notify(0, "STOPPING=1");
    await_signal();  // before stop(), which runs at once, and through when nobody is connected
    net::spawn(io_.get_executor(), stop(), loggers_.app, "stop");
  });
}

// New work is refused first, then members learn that they shall come back, then connections and relays end. The loop
// runs out of work once the last of them has gone.
asio::awaitable<void> Daemon::stop() {
  http_.set_ready(false);
  co_await signaling_.stop();
  for (const auto& listener : stream_listeners_)
    listener->stop();
  turn_.stop();
  signals_.cancel();
}

}  // namespace

int run(const config::Config& config, std::ostream& out) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is an error code, not the end of the process
  raise_open_files_limit();
  Daemon daemon{config};
  return daemon.run(out);
}

}  // namespace causeway::app
