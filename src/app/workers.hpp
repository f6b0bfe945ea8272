// SPDX-License-Identifier: Apache-2.0
// All of TURN that a daemon runs: one server on the main loop, or with `turn.workers` above 1 as many servers, each
// with a loop, a thread and sockets of its own. Whatever changes goes to each of them as values, by a post to its loop.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "app/loggers.hpp"
#include "app/state_directory.hpp"
#include "app/turn_log.hpp"
#include "config/config.hpp"
#include "net/stream_listener.hpp"
#include "net/system_random.hpp"
#include "net/turn_driver.hpp"
#include "net/worker_ledger.hpp"

namespace causeway::app {

// turn.workers, with "auto" as the number of CPUs that the process may use.
std::size_t worker_count(const config::Config& config);

class Workers {
 public:
  // `main` is the loop whose thread calls everything here; `gate` as in turn_realms().
  Workers(asio::io_context& main, const config::Config& config, const KeptSecrets& secrets,
          turn::RelayAddressOptions relay_addresses, std::shared_ptr<const turn::UserGate> gate,
          const Loggers& loggers);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // As those of net::TurnDriver, before start().
  void enable_dtls(const net::TlsContext& certificate);
  Result<Endpoint, error_code> listen(const Endpoint& local, turn::Transport transport);
  Result<void, error_code> answer_binding_at(const Endpoint& local);

  void set_gather_window(std::chrono::microseconds window);
  std::size_t receive_buffer_bytes() const noexcept;  // the smallest of a listener
  void start();
  // A net::StreamHandler. The same client comes to the same worker.
  asio::awaitable<void> serve(net::Stream stream, std::vector<std::uint8_t> first_bytes, net::ConnectionFacts facts);

  // Limits, users, the peer policy, the alternate server. A null certificate changes nothing. Throws
  // std::runtime_error, and has changed nothing then, when DTLS does not take the certificate.
  void apply(const config::Config& next, const KeptSecrets& secrets,
             const std::shared_ptr<const net::TlsContext>& certificate);
  // Wherever they are. `user` as in turn::Allocation.
  void end_allocations_of(const std::string& user);
  void set_relay_addresses(const turn::RelayAddressOptions& options);
  // `drained` is called on the main loop, once the last allocation of all workers has ended.
  void drain(std::function<void()> drained);
  bool is_draining() const noexcept { return draining_; }
  std::size_t allocations() const noexcept;  // of several workers with the reserved relays
  // Ends all allocations. The threads end once their last connection has.
  void stop();
  void join();  // waits for that; after the main loop has ended

 private:
  struct Worker;
  void run(Worker& worker);
  void post(Worker& worker, std::function<void(net::TurnDriver&)> change);
  void for_each(const std::function<void(net::TurnDriver&)>& change);
  Worker& worker_for(const net::ConnectionFacts& facts) const noexcept;
  bool has_threads() const noexcept { return workers_.size() > 1; }

  asio::io_context& main_;
  Loggers loggers_;
  std::shared_ptr<const turn::UserGate> gate_;
  net::SystemRandom random_;
  std::uint64_t hash_seed_;
  net::WorkerLedger ledger_;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool draining_ = false;
};

}  // namespace causeway::app
