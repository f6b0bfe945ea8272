// SPDX-License-Identifier: Apache-2.0
// How many allocations a user and the server may have (RFC 8656 §7.2: 486 and 508). A hold belongs to an allocation
// and gives its place back when it dies, so no path can forget to.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "causeway/base/result.hpp"

namespace causeway::turn {

enum class QuotaError : std::uint8_t { kUser, kTotal };

// Outlives every hold.
class Quota {
 public:
  Quota(std::uint32_t per_user_max, std::uint32_t total_max) noexcept  // 0: no limit
      : per_user_max_(per_user_max), total_max_(total_max) {}

  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), user_(std::move(other.user_)) {}
    Hold& operator=(Hold&& other) noexcept {
      release();
      quota_ = std::exchange(other.quota_, nullptr);
      user_ = std::move(other.user_);
      return *this;
    }
    ~Hold() { release(); }

   private:
    friend class Quota;
    Hold(Quota* quota, std::string user) : quota_(quota), user_(std::move(user)) {}
    void release() noexcept;

    Quota* quota_ = nullptr;
    std::string user_;
  };

  Result<Hold, QuotaError> acquire(const std::string& user);
  std::uint32_t total() const noexcept { return total_; }

 private:
  std::uint32_t per_user_max_;
  std::uint32_t total_max_;
  std::uint32_t total_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_user_;
};

}  // namespace causeway::turn
