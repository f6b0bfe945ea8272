// SPDX-License-Identifier: Apache-2.0
// One line at the end of each allocation, and why requests are refused, at most one line per error code and interval.
#pragma once

#include <chrono>
#include <map>

#include "causeway/turn/events.hpp"
#include "net/asio.hpp"

namespace causeway::app {

class TurnLog final : public turn::Events {
 public:
  static constexpr std::chrono::seconds kRefusalInterval{10};

  explicit TurnLog(Logger logger) : logger_(std::move(logger)) {}

  void on_allocation_created(const turn::Allocation& allocation) override;
  void on_allocation_moving(const turn::Allocation& allocation, const turn::FiveTuple& to) override;
  void on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now now) override;
  void on_request_refused(const turn::FiveTuple& client, stun::Method method, stun::ErrorCode code,
                          std::string_view username) override;

 private:
  struct Refusals {
    TimePoint logged_at;
    std::uint64_t unlogged = 0;
  };
  Logger logger_;
  std::map<stun::ErrorCode, Refusals> refusals_;  // as many as there are codes
};

}  // namespace causeway::app
