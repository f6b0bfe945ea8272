// SPDX-License-Identifier: Apache-2.0
#include "net/stream_admission.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <numeric>
#include <utility>

#include "net/system_clock.hpp"

namespace causeway::net {
namespace {

const IpAddress kLoopbackV4{std::array<std::uint8_t, 4>{127, 0, 0, 1}};
const IpAddress kLoopbackV6{std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// What is logged, each at its own rate.
enum class Line : std::uint8_t { kSource, kNetwork, kTotal, kTrusted, kHandshakes };

struct Reason {
  std::string_view what;
  std::string_view advice;
};

Reason reason_of(Shortage shortage) noexcept {
  switch (shortage) {
    case Shortage::kSource:
      return {"too many unauthenticated connections from this address",
              "raise limits.unauthenticated_connections_per_address if many people share it, or block it"};
    case Shortage::kNetwork:
      return {"too many unauthenticated connections from this IPv6 network",
              "raise limits.unauthenticated_connections_per_address if many people share it, or block it"};
    case Shortage::kTotal:
      return {"too many connections in all",
              "raise signaling.sessions_max and turn.limits.allocations_total if the machine can serve more"};
    default:
      return {"too many connections from this machine and from proxies",
              "name the proxies in web.trusted_proxies or proxy_protocol"};
  }
}

}  // namespace

void ConnectionPlace::on_authenticated() const {
  if (admission_ == nullptr) return;
  asio::dispatch(admission_->executor_,
                 [admission = admission_, connection = connection_] { admission->on_authenticated(connection); });
}

bool ConnectionPlace::identify(const IpAddress& client) const {
  return admission_ == nullptr || admission_->identify(connection_, client);
}

StreamAdmission::StreamAdmission(const asio::any_io_executor& executor, StreamAdmissionOptions options,
                                 std::uint64_t hash_seed, Logger logger)
    : executor_(executor),
      trusted_proxies_(std::move(options.trusted_proxies)),
      logger_(std::move(logger)),
      connections_(options.connections, hash_seed),
      handshakes_(executor, options.handshakes, hash_seed),
      log_limit_(hash_seed) {}

bool StreamAdmission::is_trusted(const IpAddress& remote) const noexcept {
  return remote == kLoopbackV4 || remote == kLoopbackV6 ||
         std::any_of(trusted_proxies_.begin(), trusted_proxies_.end(),
                     [&](const Prefix& prefix) { return prefix.contains(remote); });
}

std::optional<ConnectionHandle> StreamAdmission::open(const IpAddress& remote, bool names_client,
                                                      std::function<void()> evict) {
  const TimePoint now = read_clock().steady;
  const auto decision =
      names_client || is_trusted(remote) ? connections_.admit_trusted(now) : connections_.admit(remote, now);
  carry_out(decision, remote, now);
  if (!decision.admitted) return std::nullopt;
  if (evict_.size() <= decision.admitted->index) evict_.resize(decision.admitted->index + 1);
  evict_[decision.admitted->index] = std::move(evict);
  return decision.admitted;
}

void StreamAdmission::close(ConnectionHandle connection) noexcept {
  connections_.on_closed(connection);
}

bool StreamAdmission::identify(ConnectionHandle connection, const IpAddress& client) {
  if (is_trusted(client)) return true;
  const TimePoint now = read_clock().steady;
  const auto decision = connections_.identify(connection, client, now);
  carry_out(decision, client, now);
  return decision.admitted.has_value();
}

void StreamAdmission::on_authenticated(ConnectionHandle connection) {
  const auto source = connections_.on_authenticated(connection);
  if (source) handshakes_.queue().on_authenticated(*source, read_clock().steady);
}

void StreamAdmission::carry_out(const ConnectionAdmission::Decision& decision, const IpAddress& source, TimePoint now) {
  if (decision.evicted) std::exchange(evict_[decision.evicted->index], nullptr)();
  if (decision.shortage) log(decision, source, now);
}

void StreamAdmission::log(const ConnectionAdmission::Decision& decision, const IpAddress& source, TimePoint now) {
  const auto left_out = log_limit_.admit(static_cast<Line>(*decision.shortage), source, now);
  if (!left_out) return;
  const ConnectionCounters& counters = connections_.counters();
  const auto sum = [](const ConnectionCounters::PerShortage& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  const Reason reason = reason_of(*decision.shortage);
  logger_->warn(
      "{} {}: {}; {} ({} open; {} refused and {} closed for others since the start; {} more such lines were "
      "left out)",
      decision.admitted ? "the oldest unauthenticated connection was closed for one from" : "refused one from",
      source.to_string(), reason.what, reason.advice, connections_.open(), sum(counters.refused), sum(counters.evicted),
      *left_out);
}

asio::awaitable<error_code> StreamAdmission::handshake(Stream& stream, std::shared_ptr<const TlsContext> context,
                                                       IpAddress source) {
  const auto rated = is_trusted(source) ? std::nullopt : std::optional{source};
  const error_code error = co_await handshakes_.perform(stream, std::move(context), rated);
  if (error != asio::error::no_buffer_space) co_return error;
  const auto left_out = log_limit_.admit(Line::kHandshakes, source, read_clock().steady);
  if (left_out) {
    logger_->warn(
        "a TLS handshake of {} was refused: too many are waiting; block the addresses that begin most of them ({} "
        "refused since the start; {} more such lines were left out)",
        source.to_string(), handshakes().refused, *left_out);
  }
  co_return error;
}

}  // namespace causeway::net
