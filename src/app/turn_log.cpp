// SPDX-License-Identifier: Apache-2.0
#include "app/turn_log.hpp"

#include <spdlog/spdlog.h>

#include "causeway/base/printable.hpp"
#include "net/system_clock.hpp"

namespace causeway::app {
namespace {

const char* name_of(stun::Method method) {
  switch (method) {
    case stun::Method::kBinding:
      return "Binding";
    case stun::Method::kAllocate:
      return "Allocate";
    case stun::Method::kRefresh:
      return "Refresh";
    case stun::Method::kCreatePermission:
      return "CreatePermission";
    case stun::Method::kChannelBind:
      return "ChannelBind";
    case stun::Method::kConnect:
      return "Connect";
    case stun::Method::kConnectionBind:
      return "ConnectionBind";
    default:
      return "request";
  }
}

const char* kind_of(const turn::Allocation& allocation) {
  return allocation.is_tcp() ? "TCP allocation" : "allocation";
}

std::string relayed_addresses(const turn::Allocation& allocation) {
  std::string out;
  for (const turn::Relay& relay : allocation.relays)
    out += (out.empty() ? "" : " and ") + relay.relayed_address.to_string();
  return out;
}

}  // namespace

void TurnLog::on_allocation_created(const turn::Allocation& allocation) {
  const turn::FiveTuple& client = allocation.client.five_tuple;
  logger_->debug("{} {} for user {} at {} over {}", kind_of(allocation), relayed_addresses(allocation),
                 quoted_text(allocation.user), client.client.to_string(), turn::name_of(client.transport));
}

void TurnLog::on_allocation_moving(const turn::Allocation& allocation, const turn::FiveTuple& to) {
  const turn::FiveTuple& from = allocation.client.five_tuple;
  logger_->info("allocation {} of user {} moves from {} over {} to {} over {}",
                allocation.relays.front().relayed_address.to_string(), quoted_text(allocation.user),
                from.client.to_string(), turn::name_of(from.transport), to.client.to_string(),
                turn::name_of(to.transport));
}

void TurnLog::on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now now) {
  const turn::FiveTuple& client = allocation.client.five_tuple;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.steady - allocation.created_at);
  logger_->info(
      "{} {} ended after {} s ({}): user {} at {} over {}; to peers {} packets, {} bytes; "
      "from peers {} packets, {} bytes",
      kind_of(allocation), relayed_addresses(allocation), seconds.count(), turn::name_of(reason),
      quoted_text(allocation.user), client.client.to_string(), turn::name_of(client.transport),
      allocation.from_client.packets, allocation.from_client.payload_bytes, allocation.from_peers.packets,
      allocation.from_peers.payload_bytes);
}

void TurnLog::on_request_refused(const turn::FiveTuple& client, stun::Method method, stun::ErrorCode code,
                                 std::string_view username) {
  const auto left_out = refusals_.admit(code, client.client.address, read_clock().steady);
  if (!left_out) return;
  logger_->info("{} refused with {} {}: user {} at {} over {}; {} more of this code since the last such line",
                name_of(method), static_cast<unsigned>(code), stun::reason_phrase(code), quoted_text(username),
                client.client.to_string(), turn::name_of(client.transport), *left_out);
}

void TurnLog::on_dtls_eviction(net::DtlsShortage shortage, const IpAddress& client, Now now) {
  const auto left_out = evictions_.admit(shortage, client, now.steady);
  if (!left_out) return;
  const char* const what = shortage == net::DtlsShortage::kHandshakes ? "unfinished handshakes" : "DTLS sessions";
  logger_->warn(
      "too many {}: ended the oldest of {}, whose network has the most, for a newcomer; {} more such lines were left "
      "out",
      what, client.to_string(), *left_out);
}

}  // namespace causeway::app
