// SPDX-License-Identifier: Apache-2.0
// One line at the end of each allocation, why requests are refused, a limited number of lines for each error code, and
// that DTLS is short of places.
#pragma once

#include "causeway/base/log_limit.hpp"
#include "causeway/turn/events.hpp"
#include "net/asio.hpp"
#include "net/dtls_endpoint.hpp"

namespace causeway::app {

class TurnLog final : public turn::Events {
 public:
  TurnLog(Logger logger, std::uint64_t hash_seed)
      : logger_(std::move(logger)), refusals_(hash_seed), evictions_(hash_seed) {}

  void on_allocation_created(const turn::Allocation& allocation) override;
  void on_allocation_moving(const turn::Allocation& allocation, const turn::FiveTuple& to) override;
  void on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now now) override;
  void on_request_refused(const turn::FiveTuple& client, stun::Method method, stun::ErrorCode code,
                          std::string_view username) override;
  void on_dtls_eviction(net::DtlsShortage shortage, const IpAddress& client, Now now);

 private:
  Logger logger_;
  LogLimit refusals_;
  LogLimit evictions_;
};

}  // namespace causeway::app
