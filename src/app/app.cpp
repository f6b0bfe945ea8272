// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "app/access_tokens.hpp"
#include "app/announcement.hpp"
#include "app/external_addresses.hpp"
#include "app/line_writer.hpp"
#include "app/live_members.hpp"
#include "app/loggers.hpp"
#include "app/machine_addresses.hpp"
#include "app/member_ice_servers.hpp"
#include "app/options.hpp"
#include "app/process_user.hpp"
#include "app/reload.hpp"
#include "app/state_directory.hpp"
#include "app/turn_realms.hpp"
#include "app/workers.hpp"
#include "causeway/signaling/hub.hpp"
#include "http/service.hpp"
#include "http/signaling_service.hpp"
#include "net/listen_error.hpp"
#include "net/stream_admission.hpp"
#include "net/stream_listener.hpp"
#include "net/system_clock.hpp"
#include "net/system_random.hpp"
#include "net/tls_context.hpp"

namespace causeway::app {
namespace {

using config::Config;
using config::Listener;
using config::Transport;

// A second signal after this time means that whoever sent it does not want to wait any longer.
constexpr std::chrono::milliseconds kImpatience{500};

http::StaticFiles pages(const config::Web& web) {
  if (web.root) return http::StaticFiles{*web.root};
  return http::StaticFiles{http::web_assets()};
}

// Whether browsers may be told never to come without TLS again. To a host that also has pages without TLS for others
// they would not find the way any more: RFC 6797 §8.3 keeps the port.
bool is_tls_for_good(const Config& config, const net::TlsContext* tls) {
  const auto has_plain_pages = [](const Listener& listener) {
    return listener.transport == Transport::kTcp && listener.http && !listener.address.is_loopback();
  };
  return tls != nullptr && !tls->is_self_signed() &&
         std::none_of(config.listeners.begin(), config.listeners.end(), has_plain_pages);
}

// A relay is a descriptor; the soft limit of most systems is far below what the hard one allows.
void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// All is done, and signals_ is about to give them back what they do by default: one that comes now would turn a clean
// end into that of a program that was killed.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

class Daemon {
 public:
  Daemon(Config config, ReadAgain read_again);
  int run();

 private:
  void listen(const Listener& listener);
  void listen_datagram(const Listener& listener);
  void listen_stream(const Listener& listener);
  void listen_for_nat_discovery();
  void warn_of_small_buffers();
  void drop_privileges();
  void watch_addresses();
  turn::RelayAddressOptions present_relay_addresses() const;
  void announce();
  void await_signal();
  void on_signal(int signal);
  // SIGHUP. Whatever is wrong with the new configuration leaves everything as it is.
  void reload();
  void apply(const Config& next, std::shared_ptr<const net::TlsContext> tls, JwtAccess access);
  // SIGUSR1
  void drain();
  void begin_to_stop();
  asio::awaitable<void> stop();

  Config config_;  // what the daemon runs with
  ReadAgain read_again_;
  ProcessUser user_;
  StateDirectory state_;
  KeptSecrets secrets_;
  Loggers loggers_;
  net::SystemRandom random_;
  std::shared_ptr<const net::TlsContext> tls_;
  asio::io_context io_;
  MachineAddresses machine_addresses_;
  ExternalAddresses external_addresses_;
  std::shared_ptr<LiveMembers> members_;  // nullptr without signaling.end_allocations_with_member
  Workers turn_;
  MemberIceServers ice_servers_;
  JwtAccess access_;
  signaling::Hub hub_;
  http::SignalingService signaling_;
  http::Service http_;
  net::StreamAdmission admission_;
  std::vector<std::unique_ptr<net::StreamListener>> stream_listeners_;
  std::vector<Listener> bound_;  // as configured, with the port that was really bound
  asio::signal_set signals_;
  std::optional<TimePoint> stopping_since_;
};

Daemon::Daemon(Config config, ReadAgain read_again)
    : config_(std::move(config)),
      read_again_(std::move(read_again)),
      user_(config_.user),
      state_(config_.state_directory, user_.owner()),
      secrets_(state_.secrets()),
      loggers_(make_loggers(config_.log, STDERR_FILENO)),
      tls_(tls_context(config_, state_, *loggers_.app)),
      machine_addresses_(io_.get_executor(), loggers_.net),
      external_addresses_(io_.get_executor(), config_.turn.external_addresses, loggers_.turn),
      members_(config_.signaling.end_allocations_with_member ? std::make_shared<LiveMembers>() : nullptr),
      turn_(io_, config_, secrets_, present_relay_addresses(), members_, loggers_),
      ice_servers_(member_secrets(config_, secrets_), realm_selector(config_), config_.turn.public_host,
                   config_.signaling.ice_ttl_seconds),
      access_(config_.signaling.tokens),
      hub_(hub_options(config_), ice_servers_, access_, random_),
      signaling_(io_.get_executor(), hub_, signaling_options(config_), loggers_.signaling),
      http_(pages(config_.web), signaling_, trusted_proxies(config_.web), loggers_.http),
      admission_(io_.get_executor(), admission_options(config_), random_.next(), loggers_.net),
      signals_(io_.get_executor(), SIGINT, SIGTERM, SIGHUP) {
  signals_.add(SIGUSR1);
  if (tls_) turn_.enable_dtls(*tls_);
  for (const Listener& listener : config_.listeners)
    listen(listener);
  listen_for_nat_discovery();
  ice_servers_.set_listeners(bound_);
  ice_servers_.set_nat_discovery(config_.turn.nat_discovery);
  ice_servers_.set_binding(config_.turn.binding);
  if (members_)
    ice_servers_.bind_to_membership(members_, [this](const std::string& user) { turn_.end_allocations_of(user); });
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
      net::StreamListenerOptions{listener.endpoint(), tls ? tls_ : nullptr, listener.proxy_protocol,
                                 listener.encrypted_only},
      std::move(handlers), admission_, loggers_.net));
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

void Daemon::warn_of_small_buffers() {
  const std::size_t bytes = turn_.receive_buffer_bytes();
  if (bytes >= net::UdpSocket::kBufferBytes) return;
  loggers_.net->warn(
      "the system caps UDP receive buffers at {} bytes, so bursts of media may be lost when the machine "
      "is busy: set net.core.rmem_max to {} or more (docs/operations.md, \"Receive buffers\")",
      bytes, net::UdpSocket::kBufferBytes);
}

turn::RelayAddressOptions Daemon::present_relay_addresses() const {
  return relay_addresses(config_, external_addresses_.current(), machine_addresses_.current());
}

void Daemon::watch_addresses() {
  external_addresses_.start([this] { turn_.set_relay_addresses(present_relay_addresses()); });
  machine_addresses_.start([this] {
    external_addresses_.resolve_again();
    turn_.set_relay_addresses(present_relay_addresses());
  });
}

void Daemon::drop_privileges() {
  user_.become(*loggers_.app);
  if (!user_.owner()) return;
  for (const std::string& file : unreadable_at_reload(config_)) {
    loggers_.app->warn(
        "a reload will fail, because this user cannot read {}: let its group read the file (chgrp, chmod 640)", file);
  }
}

int Daemon::run() {
  drop_privileges();
  turn_.set_gather_window(config_.turn.gather_microseconds);
  turn_.start();
  warn_of_small_buffers();
  watch_addresses();
  for (const auto& listener : stream_listeners_)
    listener->start();
  http_.set_strict_transport(is_tls_for_good(config_, tls_.get()));
  http_.set_ready(true);
  await_signal();
  announce();
  ::sd_notify(0, "READY=1");
  try {
    io_.run();
    turn_.join();
    block_signals();
  } catch (const std::exception& error) {
    loggers_.app->critical("{}; exiting: internal error, please report it", error.what());
    loggers_.wait_written();
    std::_Exit(1);
  }
  return 0;
}

void Daemon::announce() {
  const std::string text =
      announcement({config_, bound_, lan_addresses(machine_addresses_.current()), state_.admin_token_file()});
  if (!write_within(STDOUT_FILENO, text, LineWriter::kFinishTime))
    loggers_.app->warn("nobody reads standard output: the start-up lines are incomplete");
}

void Daemon::await_signal() {
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) return;
    await_signal();  // before stop(), which runs at once, and through when nobody is connected
    on_signal(signal);
  });
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP) return stopping_since_ ? void() : reload();
  if (signal == SIGUSR1) return stopping_since_ ? void() : drain();
  if (!stopping_since_) {
    loggers_.app->info("signal {}: stopping", signal);
    return begin_to_stop();
  }
  // timeout(1) and others send one signal twice, once to the process and once to its group.
  if (read_clock().steady - *stopping_since_ < kImpatience) return;
  loggers_.app->warn("signal {} once more: leaving at once", signal);
  loggers_.wait_written();
  std::_Exit(1);  // connections are still open, and nothing may outlive what they refer to
}

void Daemon::begin_to_stop() {
  stopping_since_ = read_clock().steady;
  ::sd_notify(0, "STOPPING=1");
  net::spawn(io_.get_executor(), stop(), loggers_.app, "stop");
}

void Daemon::reload() {
  ::sd_notify(0, "RELOADING=1");
  try {
    const auto read = read_again_();
    if (read) {
      Config next = config_;
      take_over(next, *read);
      JwtAccess access{next.signaling.tokens};
      apply(next, tls_context(next, state_, *loggers_.app), std::move(access));  // the last thing that can fail
      for (const std::string_view key : keys_that_need_a_restart(config_, *read))
        loggers_.app->warn("{} has changed: that needs a restart, until then the old value holds", key);
      loggers_.app->info("reloaded the configuration");
    } else {
      for (const config::Finding& finding : read.error())
        loggers_.app->error("{}", finding.to_string());
      loggers_.app->error("not reloaded, because of the errors above: the daemon goes on with what it had");
    }
  } catch (const std::exception& error) {
    loggers_.app->error("not reloaded: {}; the daemon goes on with what it had", error.what());
  }
  ::sd_notify(0, "READY=1");
}

void Daemon::apply(const Config& next, std::shared_ptr<const net::TlsContext> tls, JwtAccess access) {
  turn_.apply(next, secrets_, tls);
  tls_ = std::move(tls);
  for (const auto& listener : stream_listeners_) {
    if (listener->is_tls()) listener->set_tls_context(tls_);
  }
  http_.set_strict_transport(is_tls_for_good(next, tls_.get()));
  set_level(loggers_, next.log.level);
  admission_.set_limits(connection_limits(next));
  access_ = std::move(access);
  ice_servers_.set_secrets(member_secrets(next, secrets_));
  ice_servers_.set_binding(next.turn.binding);
  config_ = next;
  machine_addresses_.read_again();  // where the system does not tell of changes
}

void Daemon::drain() {
  if (turn_.is_draining()) return;
  loggers_.app->info("draining: new allocations are refused, {} live on; the daemon stops when the last has ended",
                     turn_.allocations());
  http_.set_ready(false);
  turn_.drain([this] {
    if (stopping_since_) return;
    loggers_.app->info("drained: no allocation is left, stopping");
    begin_to_stop();
  });
}

// New work is refused first, then members learn that they shall come back, then connections and relays end. The loop
// runs out of work once the last of them has gone.
asio::awaitable<void> Daemon::stop() {
  http_.set_ready(false);
  co_await signaling_.stop();
  for (const auto& listener : stream_listeners_)
    listener->stop();
  external_addresses_.stop();
  machine_addresses_.stop();
  turn_.stop();
  signals_.cancel();
}

}  // namespace

int run(config::Config config, ReadAgain read_again) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is an error code, not the end of the process
  raise_open_files_limit();
  Daemon daemon{std::move(config), std::move(read_again)};
  return daemon.run();
}

}  // namespace causeway::app
