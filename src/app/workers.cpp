// SPDX-License-Identifier: Apache-2.0
#include "app/workers.hpp"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>

#include "app/options.hpp"
#include "app/turn_realms.hpp"
#include "net/system_clock.hpp"
#include "net/tls_context.hpp"

namespace causeway::app {

using config::Config;

std::size_t worker_count(const Config& config) {
  if (config.turn.workers != 0) return config.turn.workers;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const bool known = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0;
  const auto count = static_cast<std::size_t>(known ? CPU_COUNT(&cpus) : 1);
  return std::clamp<std::size_t>(count, 1, turn::kWorkersMax);
}

struct Workers::Worker {
  std::unique_ptr<asio::io_context> own_loop;  // absent: the main one
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  net::SystemRandom random;
  TurnLog log;
  std::optional<turn::Siblings> siblings;
  std::optional<net::TurnDriver> driver;
  std::thread thread;

  explicit Worker(Logger logger) : log(std::move(logger), random.next()) {}
};

Workers::Workers(asio::io_context& main, const Config& config, const KeptSecrets& secrets,
                 turn::RelayAddressOptions relay_addresses, std::shared_ptr<const turn::UserGate> gate,
                 const Loggers& loggers)
    : main_(main),
      loggers_(loggers),
      gate_(std::move(gate)),
      hash_seed_(random_.next()),
      ledger_(config.turn.relay.port_min, config.turn.relay.port_max, config.realms.size() + 1, random_) {
  const std::size_t count = worker_count(config);
  const turn::ServerOptions options = turn_options(config, std::move(relay_addresses));
  std::vector<net::TurnDriver*> drivers;
  for (std::size_t i = 0; i < count; ++i) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>(loggers.turn));
    if (count > 1) {
      worker.own_loop = std::make_unique<asio::io_context>();
      worker.work.emplace(worker.own_loop->get_executor());
      worker.siblings.emplace(ledger_.place_of(static_cast<turn::WorkerIndex>(i), count));
    }
    asio::io_context& loop = worker.own_loop ? *worker.own_loop : main;
    // Each worker has credentials of its own: what they remember of a user is not for two threads.
    worker.driver.emplace(loop.get_executor(), options, turn_realms(config, secrets, gate_), realm_selector(config),
                          secrets.nonce_key, worker.random, worker.log, worker.siblings ? &*worker.siblings : nullptr);
    drivers.push_back(&*worker.driver);
  }
  for (net::TurnDriver* driver : drivers)
    driver->join(drivers);
}

Workers::~Workers() {
  for (const auto& worker : workers_) {
    if (!worker->thread.joinable()) continue;
    worker->own_loop->stop();
    worker->thread.join();
  }
}

void Workers::enable_dtls(const net::TlsContext& certificate) {
  for (const auto& worker : workers_)
    worker->driver->enable_dtls(certificate,
                                [&log = worker->log](net::DtlsShortage shortage, const IpAddress& client, Now now) {
                                  log.on_dtls_eviction(shortage, client, now);
                                });
}

Result<Endpoint, error_code> Workers::listen(const Endpoint& local, turn::Transport transport) {
  const auto opened = workers_.front()->driver->listen(local, transport);
  if (!opened) return opened;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    const auto fellow = workers_[i]->driver->listen(*opened, transport);
    if (!fellow) return fellow;
  }
  return opened;
}

Result<void, error_code> Workers::answer_binding_at(const Endpoint& local) {
  for (const auto& worker : workers_) {
    const auto opened = worker->driver->answer_binding_at(local);
    if (!opened) return opened;
  }
  return {};
}

void Workers::set_gather_window(std::chrono::microseconds window) {
  for (const auto& worker : workers_)
    worker->driver->set_gather_window(window);
}

// The listeners of all workers are alike.
std::size_t Workers::receive_buffer_bytes() const noexcept {
  return workers_.front()->driver->receive_buffer_bytes();
}

void Workers::start() {
  for (const auto& worker : workers_)
    worker->driver->start();
  if (!has_threads()) return;
  for (const auto& worker : workers_)
    worker->thread = std::thread{[this, &worker = *worker] { run(worker); }};
  loggers_.app->info("TURN runs in {} workers", workers_.size());
}

void Workers::run(Worker& worker) {
  ::pthread_setname_np(::pthread_self(), "turn worker");
  try {
    worker.own_loop->run();
  } catch (const std::exception& error) {
    loggers_.app->critical("TURN worker: {}; exiting: internal error, please report it", error.what());
    loggers_.wait_written();
    std::_Exit(1);
  }
}

Workers::Worker& Workers::worker_for(const net::ConnectionFacts& facts) const noexcept {
  const turn::FiveTuple client{facts.remote, facts.local, turn::Transport::kTcp};
  return *workers_[turn::FiveTupleHash{hash_seed_}(client) % workers_.size()];
}

asio::awaitable<void> Workers::serve(net::Stream stream, std::vector<std::uint8_t> first_bytes,
                                     net::ConnectionFacts facts) {
  net::TurnDriver& driver = *worker_for(facts).driver;
  if (!has_threads()) return driver.serve(std::move(stream), std::move(first_bytes), std::move(facts));
  return driver.serve_from_elsewhere(std::move(stream), std::move(first_bytes), std::move(facts));
}

void Workers::post(Worker& worker, std::function<void(net::TurnDriver&)> change) {
  net::TurnDriver& driver = *worker.driver;
  if (!has_threads()) return change(driver);
  asio::post(*worker.own_loop, [&driver, change = std::move(change)] { change(driver); });
}

void Workers::for_each(const std::function<void(net::TurnDriver&)>& change) {
  for (const auto& worker : workers_)
    post(*worker, change);
}

void Workers::apply(const Config& next, const KeptSecrets& secrets,
                    const std::shared_ptr<const net::TlsContext>& certificate) {
  std::shared_ptr<const net::DtlsContext> dtls;
  if (certificate) dtls = std::make_shared<const net::DtlsContext>(*certificate);
  for (const auto& worker : workers_) {
    // Of each its own, as at the start.
    std::vector<std::shared_ptr<const turn::Credentials>> credentials;
    for (turn::RealmOptions& realm : turn_realms(next, secrets, gate_))
      credentials.push_back(std::move(realm.credentials));
    post(*worker, [dtls, credentials, limits = server_limits(next), of_realms = realm_limits(next),
                   peers = peer_policy(next), alternate = alternate_server(next)](net::TurnDriver& driver) {
      if (dtls) driver.set_dtls_context(dtls);
      turn::Server& server = driver.server();
      server.set_limits(limits, of_realms);
      server.set_peer_policy(peers);
      server.set_alternate_server(alternate);
      for (std::size_t i = 0; i < credentials.size(); ++i)
        server.set_credentials(static_cast<turn::RealmIndex>(i), credentials[i], read_clock());
    });
  }
}

void Workers::end_allocations_of(const std::string& user) {
  for_each([user](net::TurnDriver& driver) { driver.server().end_allocations_of(user, read_clock()); });
}

void Workers::set_relay_addresses(const turn::RelayAddressOptions& options) {
  for_each([options](net::TurnDriver& driver) { driver.set_relay_addresses(options); });
}

void Workers::drain(std::function<void()> drained) {
  draining_ = true;
  auto left = std::make_shared<std::size_t>(workers_.size());  // of the main loop
  auto one_drained = [left, drained = std::move(drained)] {
    if (--*left == 0) drained();
  };
  for_each([&main = main_, one_drained](net::TurnDriver& driver) {
    driver.drain([&main, one_drained] { asio::post(main, one_drained); });
  });
}

std::size_t Workers::allocations() const noexcept {
  return has_threads() ? ledger_.allocations() : workers_.front()->driver->server().allocations().size();
}

void Workers::stop() {
  for_each([](net::TurnDriver& driver) { driver.stop(); });
  for (const auto& worker : workers_)
    worker->work.reset();
}

void Workers::join() {
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

}  // namespace causeway::app
