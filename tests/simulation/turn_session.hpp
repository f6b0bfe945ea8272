// SPDX-License-Identifier: Apache-2.0
// One run of a TURN client, from its Allocate to the end of its allocation: one socket or connection, requests with the
// retransmissions of RFC 8489 §6.2.1, refreshes like those of browsers. Timers hold it weakly: a client that crashes
// just lets go of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "causeway/stun/framer.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "party.hpp"

namespace causeway::simulation {

struct SessionOptions {
  Endpoint inside;  // the client's socket, inside of its NAT
  Endpoint server;
  turn::Transport transport = turn::Transport::kUdp;
  std::string username;
  std::string password;
  bool sha256 = false;  // a client of RFC 8489
  AddressFamily relay_family = AddressFamily::kIPv4;
  bool dual = false;  // IPv6 in addition to IPv4 (RFC 8656 §7.1)
  std::optional<std::uint32_t> lifetime;
  bool mobility = false;  // RFC 8016
  bool channels = false;
  bool even_port = false;
  bool reserve_next = false;
  std::optional<Octets> reservation_token;
  Duration keepalive{};  // zero: none
};

class TurnSession : public std::enable_shared_from_this<TurnSession> {
 public:
  enum class End : std::uint8_t { kRefused, kLost, kTimeout, kBroken };
  struct Owner {
    std::function<void()> on_allocated;
    std::function<void(const Endpoint& from, Bytes)> on_data;
    std::function<void(End)> on_ended;  // not by close()
    std::function<Endpoint()> next_socket;
  };

  TurnSession(World& world, const SessionOptions& options, Owner owner);
  ~TurnSession();
  TurnSession(const TurnSession&) = delete;

  void begin();
  std::optional<Endpoint> relayed(AddressFamily family) const;
  const std::optional<Octets>& reservation() const noexcept { return reservation_; }
  // Makes a permission or a channel and keeps it until then.
  void permit(const Endpoint& peer, TimePoint until);
  void send(const Endpoint& peer, Bytes payload);
  // Lets the IPv6 relay of a dual allocation go.
  void release_half();
  // What no good client does: the server must refuse it, and goes on as before.
  void misbehave();
  // Releases the allocation, then closes.
  void close();
  // To another socket or connection, with the ticket that the server gave.
  void move();
  // The NAT in front lost its state.
  void cut();

 private:
  using Build = std::function<void(stun::MessageBuilder&)>;
  using Done = std::function<void(int error, const stun::MessageView* reply)>;  // kTimeout, 0 or the error code
  static constexpr int kTimeout = -1;
  struct Pending {
    stun::Method method{};
    Build build;
    Done done;
    Octets bytes;
    TimePoint first_sent;
    int sent = 0;
    int challenges = 0;
  };
  struct Permission {
    TimePoint wanted_until;
    bool asked = false;
    std::optional<std::uint16_t> channel;
    bool channel_is_bound = false;
  };

  void request(stun::Method method, Build build, Done done, int challenges = 0);
  Octets write_request(stun::Method method, const stun::TransactionId& id, const Build& build) const;
  stun::LongTermKey key() const;
  void transmit(const stun::TransactionId& id);
  void give_up(const stun::TransactionId& id);
  void on_response(const stun::MessageView& message);
  void adopt_challenge(const stun::MessageView& message);
  void later(Duration delay, void (TurnSession::*what)());

  void put(Bytes bytes);
  void on_datagram(Bytes bytes);
  void on_stream_bytes(Bytes bytes);
  void on_message(MutableBytes bytes);
  void on_channel_data(Bytes bytes);

  void on_allocated(const stun::MessageView& reply);
  void granted(const stun::MessageView& reply);
  void connect();
  void refresh();
  bool come_back();
  void keep_alive();
  void renew(const Endpoint& peer);
  void lost();
  void end(End reason);

  World& world_;
  SessionOptions options_;
  Owner owner_;
  std::shared_ptr<Stream> stream_;
  stun::StreamFramer framer_;
  std::string realm_;
  std::string nonce_;
  mutable std::optional<stun::LongTermKey> key_;
  std::map<stun::TransactionId, Pending> pending_;
  TimePoint answered_request_sent_;  // when the request was first sent whose answer is at hand
  std::map<AddressFamily, Endpoint> relayed_;
  std::optional<Octets> reservation_;
  std::optional<Octets> ticket_;
  std::vector<Endpoint> former_;  // sockets that it has moved away from
  std::shared_ptr<Stream> former_stream_;
  bool moving_ = false;
  int grants_ = 0;                // only the last one is refreshed
  std::optional<Endpoint> path_;  // what the server sees this client come from
  TimePoint granted_until_;       // at least
  std::map<Endpoint, Permission> permissions_;
  std::map<std::uint16_t, Endpoint> channels_;
  std::uint16_t next_channel_ = 0x4000;
  bool ended_ = false;
};

}  // namespace causeway::simulation
