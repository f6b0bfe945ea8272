// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/connection_admission.hpp"

#include <algorithm>
#include <limits>

#include "causeway/base/prefix.hpp"

namespace causeway {
namespace {

constexpr std::uint32_t kNone = ConnectionHandle::kNone;

// A site (/48) and its parts (/56) hold many subscribers, but seldom of different people.
struct Level {
  std::uint8_t prefix_length;
  std::size_t share;  // times unauthenticated_per_source
};
constexpr std::array<Level, 3> kIpv6Levels{{{64, 1}, {56, 2}, {48, 4}}};

std::size_t levels_of(const IpAddress& source) noexcept {
  return source.is_v4() ? 1 : kIpv6Levels.size();
}

IpAddress network_of(const IpAddress& source, std::size_t level) noexcept {
  return source.is_v4() ? source : Prefix{source, kIpv6Levels[level].prefix_length}.address();
}

std::size_t index_of(Shortage shortage) noexcept {
  return static_cast<std::size_t>(shortage);
}

}  // namespace

ConnectionAdmission::ConnectionAdmission(const ConnectionLimits& limits, std::uint64_t hash_seed) : limits_(limits) {
  static_assert(kIpv6Levels.size() == kLevels);
  for (auto& networks : networks_)
    networks = std::unordered_map<IpAddress, List, IpAddressHash>(0, IpAddressHash{hash_seed});
}

void ConnectionAdmission::set_limits(const ConnectionLimits& limits) noexcept {
  limits_ = limits;
}

std::size_t ConnectionAdmission::max_of(std::size_t level) const noexcept {
  if (limits_.unauthenticated_per_source == 0) return std::numeric_limits<std::size_t>::max();
  const std::size_t quarter = std::max<std::size_t>(limits_.connections_max / 4, 1);
  return std::min(limits_.unauthenticated_per_source, quarter) * kIpv6Levels[level].share;
}

std::optional<ConnectionAdmission::Full> ConnectionAdmission::find_full(const IpAddress& source,
                                                                        std::size_t places) const noexcept {
  for (std::size_t level = 0; level < levels_of(source); ++level) {
    const auto found = networks_[level].find(network_of(source, level));
    if (found == networks_[level].end() || found->second.count < max_of(level)) continue;
    return Full{level == 0 ? Shortage::kSource : Shortage::kNetwork, &found->second};
  }
  if (oldest_first_.count >= unauthenticated_max() || open_ >= places) return Full{Shortage::kTotal, &oldest_first_};
  return std::nullopt;
}

bool ConnectionAdmission::make_room(const std::optional<Full>& full, TimePoint youngest, Decision& decision) noexcept {
  if (!full) return true;
  decision.shortage = full->shortage;
  const std::uint32_t oldest = full->list->oldest;
  if (oldest == kNone || entries_[oldest].since > youngest) {
    ++counters_.refused[index_of(full->shortage)];
    return false;
  }
  ++counters_.evicted[index_of(full->shortage)];
  decision.evicted = handle_of(oldest);
  release(oldest);
  return true;
}

ConnectionAdmission::Decision ConnectionAdmission::admit(const IpAddress& source, TimePoint now) {
  const std::size_t kept = std::min(kTrustedPlaces, limits_.connections_max / 8);
  Decision decision;
  if (!make_room(find_full(source, limits_.connections_max - kept), now - limits_.evictable_age, decision))
    return decision;
  const std::uint32_t index = take_entry();
  list_unauthenticated(index, source, now);
  decision.admitted = handle_of(index);
  return decision;
}

ConnectionAdmission::Decision ConnectionAdmission::admit_trusted(TimePoint now) {
  std::optional<Full> full;
  if (trusted_.count >= unauthenticated_max()) {
    full = {Shortage::kTrusted, &trusted_};
  } else if (open_ >= limits_.connections_max) {
    full = {Shortage::kTotal, &oldest_first_};
  }
  Decision decision;
  if (!make_room(full, now, decision)) return decision;
  const std::uint32_t index = take_entry();
  list_trusted(index, now);
  decision.admitted = handle_of(index);
  return decision;
}

ConnectionAdmission::Decision ConnectionAdmission::identify(ConnectionHandle connection, const IpAddress& source,
                                                            TimePoint now) {
  Decision decision;
  const Entry* entry = find(connection);
  if (entry == nullptr) return decision;
  if (entry->state != State::kTrusted) return {.admitted = connection};
  if (!make_room(find_full(source, std::numeric_limits<std::size_t>::max()), now - limits_.evictable_age, decision)) {
    release(connection.index);
    return decision;
  }
  unlist(connection.index);
  list_unauthenticated(connection.index, source, now);
  decision.admitted = connection;
  return decision;
}

std::optional<IpAddress> ConnectionAdmission::on_authenticated(ConnectionHandle connection) noexcept {
  Entry* entry = find(connection);
  if (entry == nullptr || entry->state == State::kAuthenticated) return std::nullopt;
  const bool had_source = entry->state == State::kUnauthenticated;
  unlist(connection.index);
  entry->state = State::kAuthenticated;
  ++counters_.authenticated;
  return had_source ? std::optional{entry->source} : std::nullopt;
}

void ConnectionAdmission::on_closed(ConnectionHandle connection) noexcept {
  if (find(connection) != nullptr) release(connection.index);
}

// --- the table ---

ConnectionAdmission::Entry* ConnectionAdmission::find(ConnectionHandle connection) noexcept {
  if (connection.index >= entries_.size()) return nullptr;
  Entry& entry = entries_[connection.index];
  return entry.state != State::kFree && entry.generation == connection.generation ? &entry : nullptr;
}

std::uint32_t ConnectionAdmission::take_entry() {
  ++open_;
  ++counters_.admitted;
  if (free_entries_.empty()) {
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t index = free_entries_.back();
  free_entries_.pop_back();
  return index;
}

void ConnectionAdmission::release(std::uint32_t index) noexcept {
  unlist(index);
  Entry& entry = entries_[index];
  entry.state = State::kFree;
  ++entry.generation;
  free_entries_.push_back(index);
  --open_;
}

void ConnectionAdmission::list_unauthenticated(std::uint32_t index, const IpAddress& source, TimePoint now) {
  Entry& entry = entries_[index];
  entry.state = State::kUnauthenticated;
  entry.source = source;
  entry.since = now;
  for (std::size_t level = 0; level < levels_of(source); ++level)
    append(networks_[level][network_of(source, level)], level, index);
  append(oldest_first_, kAll, index);
}

void ConnectionAdmission::list_trusted(std::uint32_t index, TimePoint now) {
  entries_[index].state = State::kTrusted;
  entries_[index].since = now;
  append(trusted_, 0, index);
}

void ConnectionAdmission::unlist(std::uint32_t index) noexcept {
  const Entry& entry = entries_[index];
  if (entry.state == State::kTrusted) remove(trusted_, 0, index);
  if (entry.state != State::kUnauthenticated) return;
  for (std::size_t level = 0; level < levels_of(entry.source); ++level) {
    const auto network = networks_[level].find(network_of(entry.source, level));
    remove(network->second, level, index);
    if (network->second.count == 0) networks_[level].erase(network);
  }
  remove(oldest_first_, kAll, index);
}

void ConnectionAdmission::append(List& list, std::size_t level, std::uint32_t index) noexcept {
  entries_[index].links[level] = {.older = list.youngest};
  (list.youngest == kNone ? list.oldest : entries_[list.youngest].links[level].younger) = index;
  list.youngest = index;
  ++list.count;
}

void ConnectionAdmission::remove(List& list, std::size_t level, std::uint32_t index) noexcept {
  const Link link = entries_[index].links[level];
  (link.older == kNone ? list.oldest : entries_[link.older].links[level].younger) = link.younger;
  (link.younger == kNone ? list.youngest : entries_[link.younger].links[level].older) = link.older;
  --list.count;
}

}  // namespace causeway
