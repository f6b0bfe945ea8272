// SPDX-License-Identifier: Apache-2.0
// What a turn::Server needs of its surroundings, at no cost of its own: so that a benchmark measures the core alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "causeway/turn/server.hpp"

namespace causeway::turn {

class EveryPort final : public RelayPorts {
 public:
  std::optional<RelayOpenError> open(RelayId, const Endpoint&) override { return std::nullopt; }
  void close(RelayId) noexcept override {}
};

class Counting final : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (auto& octet : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      octet = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 1;
};

class Silent final : public Events {
 public:
  void on_allocation_created(const Allocation&) override {}
  void on_allocation_moving(const Allocation&, const FiveTuple&) override {}
  void on_allocation_ended(const Allocation&, EndReason, Now) override {}
  void on_request_refused(const FiveTuple&, stun::Method, stun::ErrorCode, std::string_view) override {}
};

}  // namespace causeway::turn
