// SPDX-License-Identifier: Apache-2.0
// The TURN server as a value-in, value-out machine (RFC 8656, RFC 8489): a packet goes in, an Outcome comes out,
// nothing is pending. It knows no socket, clock or thread; the edge performs the outcomes. Not thread-safe: one
// server belongs to one event loop. The path of relayed data allocates nothing, logs nothing and never waits.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "causeway/base/random.hpp"
#include "causeway/base/source_budget.hpp"
#include "causeway/base/time.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/allocation_table.hpp"
#include "causeway/turn/alternate_server.hpp"
#include "causeway/turn/authenticator.hpp"
#include "causeway/turn/connection_table.hpp"
#include "causeway/turn/events.hpp"
#include "causeway/turn/foreign_clients.hpp"
#include "causeway/turn/limits.hpp"
#include "causeway/turn/nat_discovery.hpp"
#include "causeway/turn/outcome.hpp"
#include "causeway/turn/peer_policy.hpp"
#include "causeway/turn/quota.hpp"
#include "causeway/turn/realm.hpp"
#include "causeway/turn/relay_addresses.hpp"
#include "causeway/turn/relay_ports.hpp"
#include "causeway/turn/reservation.hpp"
#include "causeway/turn/siblings.hpp"
#include "causeway/turn/tcp_relay.hpp"

namespace causeway::turn {

struct ServerOptions {
  // RFC 8656 §3.2, §9, §12.
  std::chrono::seconds allocation_lifetime_default{600};
  std::chrono::seconds permission_lifetime{300};
  std::chrono::seconds channel_lifetime{600};
  std::chrono::seconds nonce_lifetime{3600};  // RFC 8656 §5: at least one expiry an hour
  ServerLimits limits;
  bool tcp_relay = false;  // RFC 6062
  std::uint16_t relay_port_min = 49152;
  std::uint16_t relay_port_max = 65535;
  PeerPolicyOptions peers;
  AlternateServer alternate;
  RelayAddressOptions relay_addresses;
  NatDiscoveryOptions nat_discovery;
  bool mobility = false;  // RFC 8016
};

// What the server needs of its surroundings. All outlive it.
struct ServerEnvironment {
  RelayPorts& relay_ports;
  RandomSource& random;
  Events& events;
  TcpRelayPorts* tcp_relay_ports = nullptr;  // only where ServerOptions::tcp_relay is not set
  const Siblings* siblings = nullptr;        // a server alone
};

struct Counters {
  std::array<std::uint64_t, kDropReasons> drops{};
  std::array<std::uint64_t, 16> requests_by_method{};  // all known methods are below 16
  std::array<std::uint64_t, 700> errors_by_code{};
  std::array<std::uint64_t, kQuotaErrors> quota_refusals{};         // by whose limit it was
  std::array<std::uint64_t, kRelayOpenErrors> relay_open_errors{};  // an address on which no relay could be opened
  std::uint64_t handed_over = 0;                                    // packets of clients of siblings
};

// One datagram or one framed message of a stream. In front of `bytes` at least kHeadroomBytes may be overwritten, and
// behind a payload at least the three octets of its padding: a peer's data is framed for its receiver in place.
struct ClientPacket {
  ClientRef client;
  MutableBytes bytes;
  TrafficClass traffic_class{};  // of the datagram, where the edge can tell
};

// An ICMP error that a datagram to a peer has caused; `data` is the MTU of "packet too big".
struct IcmpError {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t data = 0;
};

class Server {
 public:
  // 48 for the header of a Data indication with an IPv6 peer, rounded up.
  static constexpr std::size_t kHeadroomBytes = 64;
  static constexpr std::size_t kTailroomBytes = 3;

  // `realms` is not empty; ClientRef::realm says which of them a client belongs to.
  Server(const ServerOptions& options, std::vector<RealmOptions> realms, const NonceKey& nonce_key,
         ServerEnvironment environment);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Outcome on_client_packet(const ClientPacket& packet, Now now, ReplyBuffer& reply);
  // A datagram from `peer` at a relay's socket; headroom and tailroom as for ClientPacket.
  Outcome on_peer_packet(RelayId relay, const Endpoint& peer, MutableBytes payload, Now now,
                         TrafficClass traffic_class = {}) noexcept;
  // An error that came back for a datagram from the relay to the peer (RFC 8656 §11.5). At most kIcmpErrorsPerSecond a
  // second are passed on to one client.
  Outcome on_icmp_error(RelayId relay, const Endpoint& peer, const IcmpError& error, Now now,
                        ReplyBuffer& reply) noexcept;
  static constexpr std::uint32_t kIcmpErrorsPerSecond = 10;
  // What came of a Connect outcome, exactly once for each. The answer goes to the client; after a Drop the connection
  // is not wanted any more.
  Outcome on_connect_result(ConnectionId id, bool established, Now now, ReplyBuffer& reply);
  // A peer has connected to a TCP relay. AnnounceConnection, or Drop: the connection is to be closed at once.
  Outcome on_peer_connection(RelayId relay, const Endpoint& from, Now now, ReplyBuffer& reply);
  // A connection that a client was bound to has ended. Nothing happens when the server has ended it.
  void on_connection_ended(ConnectionId id) noexcept;
  // Data has passed between client and peer of a bound connection. Nothing more is to be read from that side for so
  // long.
  Duration on_connection_data(ConnectionId id, bool from_client, std::size_t bytes, Now now) noexcept;
  // Whether another message of a client without an allocation, on a stream from this address, is handled now. If not,
  // it waits: nobody is refused. A source has as many tokens for them as for answers over UDP, and others, because
  // nobody can spend these in another's name.
  bool take_stream_turn(const IpAddress& client, Now now) noexcept { return stream_turns_.take(client, now.steady); }
  // The client's connection has ended, and with it its allocation, unless that can move to another one.
  void on_client_gone(const FiveTuple& client, Now now);
  void on_timer(Now now);

  // Data that a client of a sibling sends to a relayed address of this server, from that client's.
  Outcome on_sibling_packet(const Endpoint& from, const Endpoint& to, MutableBytes payload, Now now,
                            TrafficClass traffic_class) noexcept;
  // From a HandOver on, all packets from a client are handed over, until its sibling says that it has no allocation.
  void on_client_given_back(const FiveTuple& client) noexcept { foreign_clients_.remove(client); }
  std::optional<WorkerIndex> sibling_of(const FiveTuple& client, Now now) noexcept {
    return foreign_clients_.find(client, now.steady);
  }
  bool is_of_sibling(const FiveTuple& client) const noexcept { return foreign_clients_.contains(client); }

  // What is relayed on and advertised: for allocations from now on, those that exist keep theirs. Which addresses are
  // this server's own: at once. All live permissions and connections are judged again.
  void set_relay_addresses(RelayAddressOptions options);
  std::optional<TimePoint> next_deadline() const noexcept;
  // Ends all allocations.
  void stop(Now now);

  // What an operator changes while clients are connected.
  // A realm's new snapshot, of the same name: allocations whose credential it does not accept end.
  void set_credentials(RealmIndex realm, std::shared_ptr<const Credentials> credentials, Now now);
  // The user has gone: its allocations in all realms end. Its credentials stay good.
  void end_allocations_of(std::string_view user, Now now);
  // One set for each realm. Allocations above a lower limit live on.
  void set_limits(const ServerLimits& limits, std::span<const RealmLimits> of_realms);
  // Judges all live permissions and connections again and ends those that it does not grant.
  void set_peer_policy(const PeerPolicyOptions& peers);
  void set_alternate_server(AlternateServer alternate) { options_.alternate = std::move(alternate); }
  // From now on there are no new allocations: 300 where there is an alternate server for the client, else 508.
  void drain() noexcept { draining_ = true; }
  bool is_draining() const noexcept { return draining_; }

  const AllocationTable& allocations() const noexcept { return allocations_; }
  const ConnectionTable& connections() const noexcept { return connections_; }
  const Counters& counters() const noexcept { return counters_; }
  const Quota& quota() const noexcept { return quota_; }

 private:
  struct Request {
    const ClientPacket& packet;
    const stun::MessageView& message;
    const Identity& identity;
    Now now;
  };
  // What an Allocate will do, once every check has passed.
  struct AllocatePlan {
    RelayTransport transport = RelayTransport::kUdp;
    struct Wish {
      AddressFamily family;
      std::vector<IpAddress> local;  // any of them; empty: the family is not supported
    };
    boost::container::static_vector<Wish, 2> wishes{};
    PortParity parity = PortParity::kAny;
    bool reserve_next = false;
    std::optional<ReservationToken> token{};  // instead of the four above
    std::chrono::seconds lifetime{};
  };
  // What is open on its way to an allocation, with the token of what was reserved beside it.
  struct OpenedRelays {
    Relays relays;
    Quota::Hold quota;
    std::optional<ReservationToken> reserved{};
    std::optional<AddressError> address_error{};
  };
  struct Realm {
    Authenticator authenticator;
    RealmLimits limits;
  };
  // What a Refresh is about, and whether the allocation's client has come from elsewhere.
  struct RefreshTarget {
    Allocation* allocation;
    bool moves;
  };
  // How a Binding is answered.
  struct BindingPlan {
    std::optional<NatDiscovery::Answer> discovery{};
    std::uint16_t client_port = 0;
    std::optional<std::size_t> padding_bytes{};
  };
  // What a Connect will do.
  struct ConnectPlan {
    RelayId relay;
    Endpoint peer;
    Endpoint local;
    Endpoint remote;
  };
  using Failure = std::optional<StunError>;

  std::optional<WorkerIndex> index() const noexcept;
  std::optional<WorkerIndex> sibling_for(const Request& request) const;
  std::optional<WorkerIndex> sibling_named(const Request& request) const;
  std::optional<WorkerIndex> sibling_that_relays(const Endpoint& relayed) const noexcept;
  const Realm& realm_of(const ClientPacket& packet) const { return realms_[packet.client.realm]; }
  Result<BindingPlan, StunError> check_binding(const ClientPacket& packet, const stun::MessageView& message) const;
  static void add_discovery(const ClientPacket& packet, const stun::MessageView& message, const BindingPlan& plan,
                            stun::MessageBuilder& answer);
  bool may_answer_binding(const ClientPacket& packet, const stun::MessageView& message, Now now) noexcept;
  bool may_answer_stranger(const ClientPacket& packet, Now now) noexcept;
  bool refuses_binding(const ClientPacket& packet) const noexcept;
  Outcome on_request(const ClientPacket& packet, const stun::MessageView& message, Now now, ReplyBuffer& reply);
  Outcome on_binding(const ClientPacket& packet, const stun::MessageView& message, Now now, ReplyBuffer& reply);
  Outcome on_classic_stun(const ClientPacket& packet, ReplyBuffer& reply) noexcept;
  Outcome on_indication(const ClientPacket& packet, const stun::MessageView& message, Now now) noexcept;
  Failure dispatch(const Request& request, stun::MessageBuilder& reply);
  void note_refusal(const FiveTuple& client, stun::Method method, stun::ErrorCode code, std::string_view username);
  Bytes finish_success(const Request& request, stun::MessageBuilder& reply);
  Bytes write_error(const ClientPacket& packet, const stun::MessageView& message, const StunError& error,
                    const Identity* identity, Now now, ReplyBuffer& reply);

  Failure on_allocate(const Request& request, stun::MessageBuilder& reply);
  Result<AllocatePlan, StunError> check_allocate(const Request& request) const;
  Failure check_families(const Request& request, AllocatePlan& plan) const;
  Result<OpenedRelays, StunError> open_relays(const Request& request, const AllocatePlan& plan);
  Relays open_on_any(const AllocatePlan& plan, std::vector<IpAddress> local);
  Relays open_on(const AllocatePlan& plan, const IpAddress& local);
  Result<OpenedRelays, StunError> take_reserved(const Request& request, const ReservationToken& token);
  ReservationToken reserve(const Request& request, const Relay& relay, Quota::Hold quota);
  Allocation& commit_allocation(const Request& request, const AllocatePlan& plan, OpenedRelays opened);
  Failure on_refresh(const Request& request, stun::MessageBuilder& reply);
  Failure on_create_permission(const Request& request);
  Failure on_channel_bind(const Request& request);
  StunError refuse_while_draining(const Request& request) const;
  void add_alternate_server(stun::MessageBuilder& response, const FiveTuple& client, const Identity& identity) const;
  Result<Quota::Hold, StunError> acquire_quota(const Request& request);
  void reserve_tables();
  Result<RefreshTarget, StunError> find_for_refresh(const Request& request) const;
  Failure check_ticket_wish(const Request& request) const;
  Result<RefreshTarget, StunError> find_by_ticket(const Request& request, Bytes sealed) const;
  void move(Allocation& allocation, const Request& request);
  void add_ticket(stun::MessageBuilder& reply, const Allocation& allocation) const;
  void note_arrival(Allocation& allocation, const ClientPacket& packet) noexcept;
  Outcome on_connect(const Request& request, ReplyBuffer& reply);
  Result<ConnectPlan, StunError> check_connect(const Request& request) const;
  Result<Endpoint, StunError> endpoint_to_connect(const Allocation& allocation, const Endpoint& peer) const;
  Outcome on_connection_bind(const Request& request, ReplyBuffer& reply);
  Result<DataConnection*, StunError> check_connection_bind(const Request& request) const;
  static bool is_owner(const Request& request, const Allocation& allocation) noexcept;
  Result<Allocation*, StunError> find_allocation(const Request& request) const;
  Failure check_peer(const Allocation& allocation, const IpAddress& peer) const;
  void judge_peers_again();
  void install_permission(Allocation& allocation, const IpAddress& peer, Now now);
  Result<std::chrono::seconds, StunError> requested_lifetime(const stun::MessageView& message) const;
  std::chrono::seconds grant_lifetime(std::chrono::seconds requested) const;

  Outcome on_channel_data(const ClientPacket& packet, Now now) noexcept;
  Outcome on_send(const ClientPacket& packet, const stun::MessageView& message, Now now) noexcept;
  // How the IP header of what is relayed shall look.
  struct Marking {
    TrafficClass traffic_class{};
    bool dont_fragment = false;
  };
  Outcome to_peer(Allocation& allocation, const Endpoint& peer, MutableBytes payload, const Marking& marking,
                  Now now) noexcept;
  Outcome to_client(Allocation& allocation, const Endpoint& peer, MutableBytes payload, TrafficClass traffic_class,
                    Now now) noexcept;
  // The reason to drop, when the tokens of the allocation or of its user are spent; takes them otherwise.
  std::optional<DropReason> take_bandwidth(Allocation& allocation, TokenBucket Bandwidth::*direction,
                                           std::size_t payload_bytes, Now now) noexcept;
  stun::TransactionId next_transaction_id() noexcept;
  Outcome drop(DropReason reason) noexcept;
  Outcome hand_over(const ClientPacket& packet, WorkerIndex sibling) noexcept;

  bool is_own(const IpAddress& address) const noexcept;
  bool is_own_relay_address(const IpAddress& address) const noexcept;
  void end(Allocation& allocation, EndReason reason, Now now);
  void give_up(Allocation& allocation, const Relay& relay, Now now);
  void close(const Relay& relay) noexcept;
  void close(const DataConnection& connection) noexcept;
  void end(const DataConnection& connection) noexcept;
  Result<Quota::Hold, QuotaError> hold_connection(const ClientRef& client, const std::string& user, Now now);
  // nullptr also where the live relay at this address has another transport.
  Allocation* find_relayed(const Endpoint& endpoint, RelayTransport transport) const noexcept;
  std::size_t connections_of(const Allocation& allocation) const noexcept;
  Endpoint as_advertised(const Endpoint& from) const noexcept;
  RelayPorts& ports_of(RelayTransport transport) const noexcept;
  void release(const Reservation& reservation) noexcept;

  ServerOptions options_;
  ServerEnvironment environment_;
  std::vector<Realm> realms_;
  PeerPolicy policy_;
  RelayAddresses addresses_;
  NatDiscovery discovery_;
  PortPool own_ports_;
  RelayPortPool& ports_;  // the own ones, or those of all siblings
  std::uint64_t hash_seed_;
  std::uint64_t transaction_seed_;  // apart from hash_seed_: strangers see what is made of it
  Quota quota_;
  Quota connection_quota_;
  // Of strangers over UDP (Binding, and requests that fail to authenticate): each may be a forged source whose owner
  // would get the answers.
  SourceBudget answers_;
  SourceBudget stream_turns_;            // of strangers over TCP and TLS
  std::optional<TicketSealer> tickets_;  // with mobility
  AllocationTable allocations_;
  ReservationTable reservations_;
  ConnectionTable connections_;
  ForeignClients foreign_clients_;
  Counters counters_;
  std::uint64_t indications_sent_ = 0;
  bool draining_ = false;
};

}  // namespace causeway::turn
