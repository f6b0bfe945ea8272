// SPDX-License-Identifier: Apache-2.0
// What a TURN server may and must do, told once more from the rules alone. The model sees each packet that goes into
// the server with the outcome that came out, keeps its own account of allocations, permissions, channels, quotas and
// sockets from the answers on the wire, and throws a Violation when the two differ.
#pragma once

#include <chrono>
#include <cstdint>
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
  std::uint32_t total_max = 0;
  std::uint32_t permissions_max = 0;
  std::uint32_t channels_max = 0;
  std::uint32_t stranger_answers_per_second = 0;
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
    std::uint64_t quota_refusals = 0, capacity_refusals = 0, stale_nonces = 0, strangers_ignored = 0;
    std::uint64_t released = 0, expired = 0, credentials_expired = 0, connections_gone = 0;
  };
  const Statistics& statistics() const noexcept { return statistics_; }

 private:
  struct Channel {
    Endpoint peer;
    TimePoint expires_at;
  };
  struct Allocation {
    turn::ClientRef client;
    std::string username;
    std::string user;
    Endpoint relayed;
    stun::TransactionId transaction{};
    TimePoint expires_at;
    TimePoint credential_ends_at;
    std::map<IpAddress, TimePoint> permissions;
    std::map<std::uint16_t, Channel> channels;

    bool permits(const IpAddress& peer, TimePoint now) const;
    std::optional<std::uint16_t> channel_to(const Endpoint& peer, TimePoint now) const;
  };
  struct Reservation {
    std::string username;
    std::string user;
    Endpoint relayed;
    TimePoint expires_at;
  };
  struct Nonce {
    IpAddress client;
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
  Allocation* find_relayed(const Endpoint& relayed);
  bool is_relayed_address(const IpAddress& address) const;
  bool is_denied(const IpAddress& peer) const;
  std::uint32_t held_by(const std::string& user) const;
  std::uint32_t held() const { return static_cast<std::uint32_t>(allocations_.size() + reservations_.size()); }
  bool ports_suffice(const IpAddress& address, bool even, bool pair) const;

  // model_requests.cpp
  void on_message(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome, Now now);
  void on_request(const turn::ClientRef& from, const stun::MessageView& message, const turn::Reply& reply, Now now);
  void take_token(const turn::ClientRef& from, TimePoint now);
  std::optional<Identity> identify(const stun::MessageView& message, const IpAddress& client, Now now, int* error);
  stun::LongTermKey key_of(const std::string& username, const std::string& password, bool sha256);
  void on_challenge(const turn::ClientRef& from, const stun::MessageView& message, const stun::MessageView& reply,
                    Now now);
  void on_allocate(const Request& request);
  void on_allocated(const Request& request);
  std::string allocate_refusal(const Request& request, const std::optional<Token>& token, bool even, bool pair);
  void on_refresh(const Request& request, Allocation& allocation);
  void on_create_permission(const Request& request, Allocation& allocation);
  void on_channel_bind(const Request& request, Allocation& allocation);
  int peer_error(const Allocation& allocation, const IpAddress& peer) const;

  // model_relay.cpp
  void on_channel_data(const turn::ClientRef& from, Bytes packet, const turn::Outcome& outcome, Now now);
  void on_send(const turn::ClientRef& from, const stun::MessageView& message, const turn::Outcome& outcome, Now now);
  void expect_to_peer(const Allocation& from, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                      TimePoint now);
  void expect_to_client(const Allocation& to, const Endpoint& peer, Bytes payload, const turn::Outcome& outcome,
                        TimePoint now);
  void expect_drop(const turn::Outcome& outcome, const char* because);

  const Rules& rules_;
  std::map<turn::FiveTuple, Allocation> allocations_;
  std::map<Token, Reservation> reservations_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Endpoint> sockets_;
  std::map<std::string, Nonce> nonces_;
  std::map<IpAddress, Bucket> strangers_;
  std::map<std::pair<std::string, bool>, stun::LongTermKey> keys_;  // computing one takes longer than all the rest
  bool open_failed_ = false;                                        // during the packet at hand
  Statistics statistics_;
};

}  // namespace causeway::simulation
