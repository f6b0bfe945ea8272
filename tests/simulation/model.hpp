// SPDX-License-Identifier: Apache-2.0
// What a TURN server may and must do, told once more from the rules alone. The model sees each packet that goes into
// the server with the outcome that came out, keeps its own account of allocations, permissions, channels, quotas and
// sockets from the answers on the wire, and throws a Violation when the two differ.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "causeway/base/prefix.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/server.hpp"
#include "network.hpp"

namespace causeway::simulation {

class Violation : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& otherwise) {
  if (!holds) throw Violation{otherwise};
}

// The rules of one world: what the operator configured, not how the server is made.
struct Rules {
  std::string realm;
  std::map<std::string, std::string> users;
  std::string shared_secret;
  std::uint32_t per_user_max = 0;  // 0: no limit
  std::uint32_t per_source_max = 0;
  std::uint32_t realm_max = 0;
  std::uint32_t total_max = 0;
  std::uint64_t allocation_octets_per_second = 0;  // each way
  std::uint64_t user_octets_per_second = 0;
  std::uint32_t permissions_max = 0;
  std::uint32_t channels_max = 0;
  std::uint32_t stranger_answers_per_second = 0;
  bool mobility = false;
  std::uint16_t port_min = 0;
  std::uint16_t port_max = 0;
  std::chrono::seconds lifetime_default{600};
  std::chrono::seconds lifetime_max{3600};
  std::chrono::seconds permission_lifetime{300};
  std::chrono::seconds channel_lifetime{600};
  std::chrono::seconds nonce_lifetime{3600};
  std::map<AddressFamily, IpAddress> relay_addresses;  // as advertised
  std::vector<Prefix> denied;
};

class Model {
 public:
  explicit Model(const Rules& rules) : rules_(rules) {}

  // What goes in and what comes out. `packet` is as it was before the server had it.
  void on_client_packet(const turn::ClientRef& from, Bytes packet, const turn::Outcome& outcome, Now now);
  void on_peer_packet(const Endpoint& relayed, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                      Now now);
  void on_client_gone(const turn::FiveTuple& client);

  // What the server does to its sockets; addresses as advertised.
  void on_opened(turn::RelayId relay, const Endpoint& relayed);
  void on_open_failed() { open_failed_ = true; }
  void on_closed(turn::RelayId relay);
  void on_ended(const turn::FiveTuple& client, turn::EndReason reason, Now now);

  // To be called between events, when the timers that are due have fired.
  void check(const turn::Server& server, Now now);

  struct Statistics {
    std::uint64_t allocations = 0, refreshes = 0, permissions = 0, channels = 0, reservations_taken = 0;
    std::uint64_t to_peers = 0, to_clients = 0, in_process = 0, denied_peers = 0, not_permitted = 0;
    std::uint64_t dual = 0, halves = 0, moves = 0, bandwidth_drops = 0, quota_refusals = 0, capacity_refusals = 0,
                  stale_nonces = 0, strangers_ignored = 0;
    std::uint64_t released = 0, expired = 0, credentials_expired = 0, connections_gone = 0;
  };
  const Statistics& statistics() const noexcept { return statistics_; }

 private:
  // A token bucket that holds what flows in a second; what is more than there is makes the next one wait.
  struct Meter {
    double octets = 0;
    TimePoint at = TimePoint::min();
  };
  struct Meters {
    Meter from_client;
    Meter from_peers;
  };
  struct Channel {
    Endpoint peer;
    TimePoint expires_at;
  };
  struct Relay {
    Endpoint relayed;
    TimePoint expires_at;
  };
  // Of a client that may move (RFC 8016).
  struct Mobility {
    Octets ticket;
    Octets spent_ticket{};                   // the one before
    stun::TransactionId move_transaction{};  // of the Refresh that spent it
    std::optional<turn::ClientRef> next{};   // refreshed from here, no data from there yet
    bool is_away = false;                    // its connection has ended
  };
  struct Allocation {
    turn::ClientRef client;
    std::string username;
    std::string user;
    IpAddress source;                       // whose quota it counts to
    std::map<AddressFamily, Relay> relays;  // one, or one of each family
    stun::TransactionId transaction{};
    TimePoint credential_ends_at;
    std::map<IpAddress, TimePoint> permissions;
    std::map<std::uint16_t, Channel> channels;
    std::optional<Mobility> mobility{};
    Meters meters{};

    bool is_of(const turn::FiveTuple& five_tuple) const;
    void note_arrival(const turn::FiveTuple& five_tuple);
    TimePoint ends_at() const;
    const Relay* relay_for(const IpAddress& peer) const;
    // With a relay go the permissions and channels of its family (RFC 8656 §8.1).
    void forget_relay(AddressFamily family, TimePoint when);
    bool permits(const IpAddress& peer, TimePoint now) const;
    std::optional<std::uint16_t> channel_to(const Endpoint& peer, TimePoint now) const;
  };
  struct Reservation {
    std::string username;
    std::string user;
    IpAddress source;
    Endpoint relayed;
    TimePoint expires_at;
  };
  struct Nonce {
    Endpoint client;
    turn::Transport transport;
    WallTime issued_at;
  };
  struct Identity {
    std::string username;
    std::string user;
    std::optional<WallTime> expires_at;
  };
  struct Bucket {
    double tokens;
    TimePoint at;
  };
  using Token = turn::ReservationToken;
  struct Request {
    const turn::ClientRef& from;
    const stun::MessageView& message;
    const Identity& identity;
    const stun::MessageView& reply;
    Now now;
    int error;  // 0: success
  };

  void forget_what_is_over(TimePoint now);
  Allocation* find(const turn::FiveTuple& client);
  void erase(const Allocation& allocation);
  Allocation* find_relayed(const Endpoint& relayed);
  bool is_relayed_address(const IpAddress& address) const;
  bool is_denied(const IpAddress& peer) const;
  static IpAddress source_of(const IpAddress& client);
  template <class Matches>
  std::uint32_t held_where(Matches matches) const;
  std::uint32_t held_by(const std::string& user) const;
  std::uint32_t held_from(const IpAddress& source) const;
  std::uint32_t held() const { return static_cast<std::uint32_t>(allocations_.size() + reservations_.size()); }
  bool ports_suffice(const IpAddress& address, bool even, bool pair) const;

  // model_requests.cpp
  void on_message(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome, Now now);
  void on_request(const turn::ClientRef& from, const stun::MessageView& message, const turn::Reply& reply, Now now);
  void take_token(const turn::ClientRef& from, TimePoint now);
  std::optional<Identity> identify(const stun::MessageView& message, const turn::FiveTuple& client, Now now,
                                   int* error);
  stun::LongTermKey key_of(const std::string& username, const std::string& password, bool sha256);
  void on_challenge(const turn::ClientRef& from, const stun::MessageView& message, const stun::MessageView& reply,
                    Now now);
  void on_allocate(const Request& request);
  void on_allocated(const Request& request);
  std::map<AddressFamily, Relay> relays_in(const Request& request, TimePoint expires_at);
  void check_partial(const Request& request, const Allocation& allocation);
  void take_reservation(const Token& token, const Identity& identity, Allocation& allocation);
  std::string allocate_refusal(const Request& request, const std::optional<Token>& token);
  std::string relay_refusal(AddressFamily family, int error, bool even, bool pair) const;
  void on_refresh(const Request& request, Allocation& allocation, bool moves);
  void on_refresh_with_ticket(const Request& request, Bytes ticket);
  void move(const Request& request, Allocation& allocation);
  void on_create_permission(const Request& request, Allocation& allocation);
  void on_channel_bind(const Request& request, Allocation& allocation);
  int peer_error(const Allocation& allocation, const IpAddress& peer) const;

  // model_relay.cpp
  void on_channel_data(const turn::ClientRef& from, Bytes packet, const turn::Outcome& outcome, Now now);
  void on_send(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome, Now now);
  bool take_octets(Allocation& allocation, Meter Meters::*direction, std::size_t octets, const turn::Outcome& outcome,
                   TimePoint now);
  void expect_to_peer(Allocation& from, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                      TimePoint now);
  void expect_to_client(Allocation& to, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                        TimePoint now);
  void expect_drop(const turn::Outcome& outcome, const char* because);

  const Rules& rules_;
  std::list<Allocation> allocations_;
  std::map<Token, Reservation> reservations_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Endpoint> sockets_;
  std::map<std::string, Nonce> nonces_;
  std::map<IpAddress, Bucket> strangers_;
  std::map<std::string, Meters> user_meters_;
  std::map<std::pair<std::string, bool>, stun::LongTermKey> keys_;  // computing one takes longer than all the rest
  bool open_failed_ = false;                                        // during the packet at hand
  Statistics statistics_;
};

}  // namespace causeway::simulation
