// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/quota.hpp"

#include <algorithm>

#include "causeway/base/fair_share.hpp"

namespace causeway::turn {
namespace {

bool is_reached(std::uint32_t limit, std::size_t count) noexcept {
  return limit != 0 && count >= limit;
}

}  // namespace

std::optional<QuotaError> Quota::refusal(const Realm& realm, const User* user, const IpAddress& network,
                                         const QuotaLimits& limits) const {
  if (limits.total != 0 && !may_take_place(by_source_.of_site(network), total_, limits.total))
    return QuotaError::kTotal;
  if (is_reached(limits.per_realm, realm.allocations)) return QuotaError::kRealm;
  if (user != nullptr && is_reached(limits.per_user, user->allocations)) return QuotaError::kUser;
  if (is_reached(limits.per_source, by_source_.of(network))) return QuotaError::kSource;
  return std::nullopt;
}

Result<Quota::Hold, QuotaError> Quota::acquire(RealmIndex realm_index, std::string_view user, const IpAddress& source,
                                               const QuotaLimits& limits, TimePoint now) {
  forget_idle_users(now);
  Realm& realm = realms_[realm_index];
  const IpAddress network = subscriber_network(source);
  const auto of_user = realm.users.find(std::string{user});
  const User* const known = of_user != realm.users.end() ? &of_user->second : nullptr;
  const auto refused =
      ledger_ != nullptr ? ledger_->take(realm_index, user, network, limits) : refusal(realm, known, network, limits);
  if (refused) return *refused;

  auto& holder =
      of_user != realm.users.end() ? *of_user : *realm.users.try_emplace(std::string{user}, User{realm_index}).first;
  const std::size_t idle_max = idle_.size() + total_ + 1;
  if (idle_.capacity() < idle_max) idle_.reserve(2 * idle_max);  // release() never allocates
  by_source_.add(network);
  ++holder.second.allocations;
  ++realm.allocations;
  ++total_;
  return Hold{*this, holder, network};
}

std::uint32_t Quota::of_user(RealmIndex realm, std::string_view user) const {
  const auto found = realms_[realm].users.find(std::string{user});
  return found == realms_[realm].users.end() ? 0 : found->second.allocations;
}

void Quota::Hold::release() noexcept {
  Quota* const quota = std::exchange(quota_, nullptr);
  if (quota != nullptr) quota->release(*user_, source_);
}

void Quota::give_back(RealmIndex realm, std::string_view user, const IpAddress& source) noexcept {
  Users& users = realms_[realm].users;
  release(*users.find(std::string{user}), subscriber_network(source));
}

void Quota::release(Users::value_type& holder, const IpAddress& network) noexcept {
  User& user = holder.second;
  if (ledger_ != nullptr) ledger_->give_back(user.realm, holder.first, network);
  --total_;
  --realms_[user.realm].allocations;
  by_source_.remove(network);
  if (--user.allocations != 0 || user.is_idle) return;
  const Bandwidth& bandwidth = user.bandwidth;
  if (bandwidth.from_client.is_unused() && bandwidth.from_peers.is_unused()) {
    forget(holder);
  } else {
    user.is_idle = true;
    idle_.push_back(&holder);
  }
}

void Quota::forget_idle_users(TimePoint now) noexcept {
  for (int looks = 0; looks < kIdleLooks && !idle_.empty(); ++looks) {
    next_idle_ = (next_idle_ + 1) % idle_.size();
    Users::value_type& user = *idle_[next_idle_];
    const Bandwidth& bandwidth = user.second.bandwidth;
    const bool is_away = user.second.allocations == 0;
    if (is_away && !(bandwidth.from_client.is_full(now) && bandwidth.from_peers.is_full(now))) continue;
    user.second.is_idle = false;
    idle_[next_idle_] = idle_.back();
    idle_.pop_back();
    if (is_away) forget(user);
  }
}

void Quota::forget(Users::value_type& user) noexcept {
  Users& users = realms_[user.second.realm].users;
  users.erase(users.find(user.first));
}

std::size_t Quota::users() const noexcept {
  std::size_t count = 0;
  for (const Realm& realm : realms_)
    count += realm.users.size();
  return count;
}

}  // namespace causeway::turn
