// SPDX-License-Identifier: Apache-2.0
// Who may hold how many of a server's stream connections. Every connection begins unauthenticated and counts against
// its source until it authenticates: an IPv4 address, or an IPv6 /64 and, wider, its /56 and /48. Where a source or the
// server is short of places, the oldest unauthenticated connection makes room for the new one. Authenticated
// connections count against the total alone and are never evicted.
//
// Trusted connections come from this machine or from a proxy whose client is not known yet. They belong to no source
// and have places that nobody else can take.
//
// Sans-IO: the owner closes what is evicted and refused. One loop owns it: it is not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway {

struct ConnectionLimits {
  std::size_t connections_max = 0;                // of all, unauthenticated ones hold at most half
  std::size_t unauthenticated_per_source = 2000;  // at most a quarter of all; 0: no limit
  // A younger connection is evicted for a trusted one alone, because its client may be about to authenticate: another
  // one is refused instead.
  Duration evictable_age = std::chrono::seconds{1};
};

// Refers to one admitted connection; good until it is closed or evicted, and harmless afterwards.
struct ConnectionHandle {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t index = kNone;
  std::uint32_t generation = 0;

  friend constexpr bool operator==(const ConnectionHandle&, const ConnectionHandle&) noexcept = default;
};

// What a connection was evicted or refused for.
enum class Shortage : std::uint8_t {
  kSource,   // the unauthenticated connections of its IPv4 address or IPv6 /64
  kNetwork,  // those of its IPv6 /56 or /48
  kTotal,    // those of all sources, or the connections of the server
  kTrusted,  // those from this machine and from proxies
  kCount
};

struct ConnectionCounters {
  using PerShortage = std::array<std::uint64_t, static_cast<std::size_t>(Shortage::kCount)>;
  std::uint64_t admitted = 0;
  std::uint64_t authenticated = 0;
  PerShortage evicted{};
  PerShortage refused{};
};

class ConnectionAdmission {
 public:
  // Places that trusted connections alone can take; fewer where there are fewer than 512 in all.
  static constexpr std::size_t kTrustedPlaces = 64;

  struct Decision {
    std::optional<ConnectionHandle> admitted{};  // nullopt: refused, and to be closed
    std::optional<ConnectionHandle> evicted{};   // has lost its place to it, and is to be closed
    std::optional<Shortage> shortage{};          // of whichever there is
  };

  ConnectionAdmission(const ConnectionLimits& limits, std::uint64_t hash_seed);

  // Takes effect for connections from now on; nothing is evicted.
  void set_limits(const ConnectionLimits& limits) noexcept;

  Decision admit(const IpAddress& source, TimePoint now);
  Decision admit_trusted(TimePoint now);
  // A proxy has named the source of a trusted connection. Refused: it has lost its place.
  Decision identify(ConnectionHandle connection, const IpAddress& source, TimePoint now);
  // It has proven who it is, and counts against no source any more. Returns the source that it counted against;
  // nullopt where it counted against none.
  std::optional<IpAddress> on_authenticated(ConnectionHandle connection) noexcept;
  void on_closed(ConnectionHandle connection) noexcept;

  std::size_t open() const noexcept { return open_; }
  std::size_t unauthenticated() const noexcept { return oldest_first_.count; }  // without the trusted ones
  const ConnectionLimits& limits() const noexcept { return limits_; }
  const ConnectionCounters& counters() const noexcept { return counters_; }

 private:
  // Levels of networks: IPv4 address or IPv6 /64, /56, /48. All unauthenticated connections are a list as well.
  static constexpr std::size_t kLevels = 3;
  static constexpr std::size_t kAll = kLevels;

  struct Link {
    std::uint32_t older = ConnectionHandle::kNone;
    std::uint32_t younger = ConnectionHandle::kNone;
  };
  struct List {  // oldest first
    std::uint32_t oldest = ConnectionHandle::kNone;
    std::uint32_t youngest = ConnectionHandle::kNone;
    std::size_t count = 0;
  };
  enum class State : std::uint8_t { kFree, kUnauthenticated, kTrusted, kAuthenticated };
  struct Entry {
    State state = State::kFree;
    std::uint32_t generation = 0;
    IpAddress source{};  // while unauthenticated
    TimePoint since{};   // when it was listed
    std::array<Link, kLevels + 1> links{};
  };
  struct Full {  // what has no room for another connection
    Shortage shortage;
    const List* list;
  };

  std::size_t max_of(std::size_t level) const noexcept;
  std::size_t unauthenticated_max() const noexcept { return limits_.connections_max / 2; }
  // `places` in use are all that there are for this connection.
  std::optional<Full> find_full(const IpAddress& source, std::size_t places) const noexcept;
  // Returns whether there is room, if need be after it has evicted the oldest connection of the list.
  bool make_room(const std::optional<Full>& full, TimePoint youngest, Decision& decision) noexcept;
  Entry* find(ConnectionHandle connection) noexcept;
  ConnectionHandle handle_of(std::uint32_t index) const noexcept { return {index, entries_[index].generation}; }
  std::uint32_t take_entry();
  void release(std::uint32_t index) noexcept;
  void list_unauthenticated(std::uint32_t index, const IpAddress& source, TimePoint now);
  void list_trusted(std::uint32_t index, TimePoint now);
  void unlist(std::uint32_t index) noexcept;
  void append(List& list, std::size_t level, std::uint32_t index) noexcept;
  void remove(List& list, std::size_t level, std::uint32_t index) noexcept;

  ConnectionLimits limits_;
  std::vector<Entry> entries_;  // as many as have been open at once
  std::vector<std::uint32_t> free_entries_;
  std::array<std::unordered_map<IpAddress, List, IpAddressHash>, kLevels> networks_;  // with at least one
  List oldest_first_;                                                                 // all unauthenticated ones
  List trusted_;                                                                      // by Link 0
  std::size_t open_ = 0;
  ConnectionCounters counters_;
};

}  // namespace causeway
