// SPDX-License-Identifier: Apache-2.0
#include "probe/server_probe.hpp"

#include <array>
#include <cstdio>

#include "probe/nat_behaviour.hpp"

namespace causeway::probe {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::Method;

}  // namespace

bool ServerProbe::reach() {
  report_.set_server(server_);
  if (!report_.step("connect", [this] { return connect_to_server(); })) return false;
  if (report_.step("binding", [this] { return bind(); })) return true;
  if (serves_allocations_only()) {
    report_.excuse(StepResult::kSkipped,
                   "no answer, but the server answers TURN requests: Binding is for clients with an allocation there");
    return true;
  }
  is_redirected_ = was_redirected();
  return is_redirected_;
}

// A Refresh without an allocation: every TURN server answers it, with an error, and it leaves nothing behind.
bool ServerProbe::serves_allocations_only() {
  if (!report_.error().is_silence) return false;
  if (!options_.uri.turn) {
    report_.last().advice +=
        "; or it is a TURN server that answers Binding only to its clients (turn.binding \"allocated\"): probe its "
        "turn: URI";
    return false;
  }
  auto again = Connection::open(options_, server_, random_);  // the server may have closed the silent one
  if (!again) return false;
  client_ = std::move(*again);
  const auto response = client_->client.request(Method::kRefresh, [](MessageBuilder&) {});
  return response || response.error().code != 0;
}

void ServerProbe::use(int redirections_left) {
  if (is_redirected_) return follow(redirections_left);
  if (other_address_) learn_nat_behaviour();
  if (!options_.uri.turn) return;
  // A --peer can only be reached from a relayed address of its own family.
  const bool v6_first = options_.peer && !options_.peer->address.is_v4();
  const auto first = relay(v6_first ? AddressFamily::kIPv6 : AddressFamily::kIPv4, true);
  if (first == RelayRound::Result::kTryAlternate) return follow(redirections_left);
  if (first == RelayRound::Result::kFailed || options_.peer) return;
  const bool v4_missing = first == RelayRound::Result::kNoSuchFamily;
  if (v4_missing) report_.excuse(StepResult::kSkipped, "the server relays no IPv4 (error 440)");
  if (relay(AddressFamily::kIPv6, v4_missing) != RelayRound::Result::kNoSuchFamily || v4_missing) return;
  report_.excuse(StepResult::kSkipped, "the server relays no IPv6 (error 440)");
}

Outcome ServerProbe::connect_to_server() {
  auto opened = Connection::open(options_, server_, random_);
  if (!opened) {
    ProbeError error = opened.error();
    error.detail = server_.to_string() + ": " + error.detail;
    return error;
  }
  client_ = std::move(*opened);
  const std::string detail = server_.to_string() + " over " + std::string{name_of(options_.uri.transport)};
  return client_->facts.empty() ? detail : detail + "; " + client_->facts;
}

Outcome ServerProbe::bind() {
  const TimePoint begin = read_clock().steady;
  const auto response = client_->client.request(Method::kBinding, [](MessageBuilder&) {});
  if (!response) return response.error();
  const std::chrono::duration<double, std::milli> taken = read_clock().steady - begin;
  const auto mapped = response->xor_address(AttributeType::kXorMappedAddress);
  if (!mapped) return ProbeError{"the answer has no XOR-MAPPED-ADDRESS", "The server is older than RFC 5389"};
  if (options_.uri.transport == ProbeTransport::kUdp)
    other_address_ = response->address(stun::AttributeType::kOtherAddress);
  std::array<char, 32> round_trip{};
  std::snprintf(round_trip.data(), round_trip.size(), "%.1f ms", taken.count());
  return "mapped address " + mapped->to_string() + ", round trip " + round_trip.data();
}

void ServerProbe::learn_nat_behaviour() {
  const bool learned =
      report_.step("nat behaviour", [this] { return nat_behaviour(server_, *other_address_, random_); });
  if (!learned) report_.excuse(StepResult::kSkipped, "not learned: " + report_.error().detail);
}

RelayRound::Result ServerProbe::relay(AddressFamily family, bool with_channel) {
  return RelayRound{report_, options_, std::move(client_), server_, random_, family}.run(with_channel);
}

// RFC 8489 §10: the same credential, and over TLS the certificate has to name ALTERNATE-DOMAIN where there is one.
void ServerProbe::follow(int redirections_left) {
  const ProbeError error = report_.error();
  std::string where = error.alternate_server->to_string();
  if (!error.alternate_domain.empty()) where += " (" + error.alternate_domain + ")";
  if (redirections_left == 0) {
    report_.last().advice = "The servers send clients in a circle: the last one names " + where;
    return;
  }
  report_.excuse(StepResult::kOk, "the server sends its clients to " + where + " (error 300), which is tried next");
  ProbeOptions options = options_;
  if (!error.alternate_domain.empty()) options.uri.host = error.alternate_domain;
  ServerProbe next{report_, std::move(options), *error.alternate_server, random_};
  if (next.reach()) next.use(redirections_left - 1);
}

}  // namespace causeway::probe
