// SPDX-License-Identifier: Apache-2.0
// How many allocations a user, a source, a realm and the server may have (RFC 8656 §5, §7.2: 486 and 508), and the
// bandwidth that the allocations of one user share. A hold belongs to an allocation and gives its place back when it
// dies, so no path can forget to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "causeway/base/source_counts.hpp"
#include "causeway/base/token_bucket.hpp"
#include "causeway/turn/five_tuple.hpp"

namespace causeway::turn {

// Whose limit is reached.
enum class QuotaError : std::uint8_t { kUser, kSource, kRealm, kTotal };
inline constexpr std::size_t kQuotaErrors = 4;

// 0: no limit.
struct QuotaLimits {
  std::uint32_t per_user = 0;
  std::uint32_t per_source = 0;  // an IPv4 address or an IPv6 /64
  std::uint32_t per_realm = 0;
  std::uint32_t total = 0;  // of the last eighth, networks that hold little get a place (fair_share.hpp)
};

// Where the places of several servers are counted together (siblings.hpp).
class QuotaLedger {
 public:
  virtual ~QuotaLedger() = default;
  // nullopt: taken, and to be given back once.
  virtual std::optional<QuotaError> take(RealmIndex realm, std::string_view user, const IpAddress& source,
                                         const QuotaLimits& limits) = 0;
  virtual void give_back(RealmIndex realm, std::string_view user, const IpAddress& source) noexcept = 0;
};

// Tokens are octets of payload.
struct Bandwidth {
  TokenBucket from_client;
  TokenBucket from_peers;
};

// Outlives every hold.
class Quota {
 public:
  // With a ledger, the limits hold for all that is entered there, and the rest of this is of one worker.
  Quota(std::size_t realms, std::uint64_t hash_seed, QuotaLedger* ledger = nullptr)
      : realms_(realms), by_source_(hash_seed), ledger_(ledger) {}
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

 private:
  struct User {
    RealmIndex realm = 0;
    std::uint32_t allocations = 0;
    Bandwidth bandwidth{};
    bool is_idle = false;  // in idle_
  };
  using Users = std::unordered_map<std::string, User>;

 public:
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : quota_(std::exchange(other.quota_, nullptr)), user_(other.user_), source_(other.source_) {}
    Hold& operator=(Hold&& other) noexcept {
      release();
      quota_ = std::exchange(other.quota_, nullptr);
      user_ = other.user_;
      source_ = other.source_;
      return *this;
    }
    ~Hold() { release(); }

    // What all allocations of the user share; only of a hold that was acquired.
    Bandwidth& bandwidth() const noexcept { return user_->second.bandwidth; }
    // The place is given back by Quota::give_back() instead.
    void detach() noexcept { quota_ = nullptr; }

   private:
    friend class Quota;
    Hold(Quota& quota, Users::value_type& user, const IpAddress& source)
        : quota_(&quota), user_(&user), source_(source) {}
    void release() noexcept;

    Quota* quota_ = nullptr;
    Users::value_type* user_ = nullptr;
    IpAddress source_;
  };

  Result<Hold, QuotaError> acquire(RealmIndex realm, std::string_view user, const IpAddress& source,
                                   const QuotaLimits& limits, TimePoint now);
  // The place of a detached hold.
  void give_back(RealmIndex realm, std::string_view user, const IpAddress& source) noexcept;
  std::uint32_t total() const noexcept { return total_; }
  std::uint32_t of_realm(RealmIndex realm) const noexcept { return realms_[realm].allocations; }
  std::uint32_t of_user(RealmIndex realm, std::string_view user) const;
  std::size_t users() const noexcept;  // that are remembered

 private:
  // A user without allocations is remembered until the tokens it has spent are back, so that nobody gets a full bucket
  // by releasing an allocation and making another. Each acquire looks at this many of them.
  static constexpr int kIdleLooks = 2;

  struct Realm {
    std::uint32_t allocations = 0;
    Users users{};
  };
  std::optional<QuotaError> refusal(const Realm& realm, const User* user, const IpAddress& network,
                                    const QuotaLimits& limits) const;
  void release(Users::value_type& user, const IpAddress& network) noexcept;
  void forget_idle_users(TimePoint now) noexcept;
  void forget(Users::value_type& user) noexcept;

  std::vector<Realm> realms_;
  SourceCounts by_source_;
  QuotaLedger* ledger_;
  std::uint32_t total_ = 0;
  std::vector<Users::value_type*> idle_;
  std::size_t next_idle_ = 0;
};

}  // namespace causeway::turn
