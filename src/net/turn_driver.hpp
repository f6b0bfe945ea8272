// SPDX-License-Identifier: Apache-2.0
// Performs what the sans-IO TURN server decides: owns its sockets, feeds packets in, sends what comes out, keeps its
// timer. One driver, one server, one event loop.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "causeway/turn/server.hpp"
#include "net/asio.hpp"
#include "net/datagram_loop.hpp"
#include "net/dtls_endpoint.hpp"
#include "net/realm_selector.hpp"
#include "net/receive_batch.hpp"
#include "net/relay_sockets.hpp"
#include "net/send_batch.hpp"
#include "net/stream.hpp"
#include "net/stream_listener.hpp"
#include "net/tcp_relays.hpp"
#include "net/udp_socket.hpp"
#include "net/worker_mailbox.hpp"

namespace causeway::net {

class TurnStreamSession;

struct TurnDriverCounters {
  std::uint64_t send_failures = 0;      // the kernel did not take a datagram that was sent by itself
  std::uint64_t client_gone = 0;        // data for a stream that has just ended
  std::uint64_t stream_queue_full = 0;  // messages dropped because a stream's reader is slow
  std::uint64_t stream_data_late = 0;   // and data because it had waited for too long
  std::uint64_t stream_framing_errors = 0;
  std::uint64_t stream_turns_awaited = 0;  // by clients without an allocation, for each interval that one had to wait
  std::uint64_t plain_turn_refused = 0;    // at a listener for DTLS alone
  std::uint64_t worker_mail_lost = 0;      // packets for another worker that has too many waiting
};

class TurnDriver final : public DatagramReceiver, private DtlsEndpoint::Owner, private TcpRelays::Owner {
 public:
  TurnDriver(const asio::any_io_executor& executor, const turn::ServerOptions& options,
             std::vector<turn::RealmOptions> realms, RealmSelector selector, const turn::NonceKey& nonce_key,
             RandomSource& random, turn::Events& events, const turn::Siblings* siblings = nullptr);
  ~TurnDriver() override;

  // The drivers of all siblings in the order of their indexes, before start(). Each listens on the same addresses in
  // the same order, the first one before the others. Throws std::system_error when there is no descriptor left.
  void join(std::vector<TurnDriver*> workers);

  // Called on this driver's loop for each client that lost its place to a newcomer.
  using DtlsEvictionHandler = std::function<void(DtlsShortage shortage, const IpAddress& client, Now now)>;
  // Before the first listener for DTLS. Throws std::runtime_error.
  void enable_dtls(const TlsContext& certificate, DtlsEvictionHandler on_eviction);
  // Binds a listener for kUdp or kDtls and returns where it listens: port 0 asks for any free one. Both on one address
  // and port share a socket (RFC 7983). One for DTLS alone answers plain Binding requests too, because browsers send
  // them to a stuns: URI, and no other plain message.
  Result<Endpoint, error_code> listen(const Endpoint& local, turn::Transport transport);
  // Sees to it that a socket answers Binding requests at `local`: a listener's, or one that answers nothing else.
  Result<void, error_code> answer_binding_at(const Endpoint& local);
  // For allocations from now on.
  void set_relay_addresses(turn::RelayAddressOptions options) { server_.set_relay_addresses(std::move(options)); }
  // Off by default; see DatagramLoop.
  void set_gather_window(std::chrono::microseconds window) noexcept { loop_.set_gather_window(window); }
  void start();
  // Ends all allocations and stops reading.
  void stop();
  // New allocations are refused; once there are none left, `drained` is called from the loop, once.
  void drain(std::function<void()> drained);
  // For handshakes from now on.
  void set_dtls_context(std::shared_ptr<const DtlsContext> context) noexcept;

  // A net::StreamHandler: serves one TCP or TLS client until its connection ends.
  asio::awaitable<void> serve(Stream stream, std::vector<std::uint8_t> first_bytes, ConnectionFacts facts);

  // The same for a stream of another loop; on that one's thread.
  asio::awaitable<void> serve_from_elsewhere(Stream stream, std::vector<std::uint8_t> first_bytes,
                                             ConnectionFacts facts);

  turn::Server& server() noexcept { return server_; }
  const turn::Server& server() const noexcept { return server_; }
  const TurnDriverCounters& counters() const noexcept { return counters_; }
  const SendCounters& send_counters() const noexcept { return sends_.counters(); }
  // Datagrams that the kernel lost because a socket's buffer was full.
  std::uint64_t kernel_drops() const noexcept { return received_.kernel_drops(); }
  // The smallest that a listener has.
  std::size_t receive_buffer_bytes() const noexcept;
  const TcpRelays& tcp_relays() const noexcept { return tcp_relays_; }
  const DtlsEndpoint* dtls() const noexcept { return dtls_.get(); }  // nullptr without DTLS

 private:
  friend class TurnStreamSession;

  void begin_round() override;
  std::size_t end_round() override;
  void on_readable(std::uint64_t token) override;
  void on_error(std::uint64_t token) override;
  void on_idle() override;
  void read_listener(std::size_t index);
  void on_listener_datagram(std::size_t index, const Received& received, MutableBytes datagram);
  void read_relay(std::uint64_t token);
  void make_room(std::size_t datagrams) noexcept;
  // Calls handle(datagram) with each datagram of what was received; what is framed around one in place does not harm
  // its neighbours.
  template <class Handle>
  void handle_behind_others(MutableBytes datagram, Handle handle);
  template <class Handle>
  void for_each_datagram(const Received& received, Handle handle);
  // `sent_to` is the peer of a datagram that failed just now, if one did.
  void read_errors(turn::RelayId id, const Endpoint* sent_to, Now now);
  // One framed message of a stream. The answer, if any, goes to `session`.
  void flush_streams() noexcept;
  void on_stream_message(TurnStreamSession& session, MutableBytes message, Now now);
  void on_stream_begin(TurnStreamSession& session);
  void on_stream_end(const TurnStreamSession& session);
  void send_datagram(const turn::ClientRef& client, Bytes datagram) override;
  void on_dtls_message(const turn::ClientRef& client, MutableBytes message, Now now) override;
  turn::RealmIndex realm_of(const turn::ClientRef& client, std::string_view server_name) const override;
  void on_dtls_end(const turn::ClientRef& client, Now now) override;
  void on_dtls_eviction(DtlsShortage shortage, const IpAddress& client, Now now) override;
  bool has_allocation(const turn::FiveTuple& client) const override;
  struct Listener;
  Result<Listener*, error_code> open_listener(const Endpoint& local);
  Listener* find_listener(const Endpoint& server);
  void send_from(const turn::ReplyFrom& reply);
  std::optional<turn::ConnectionId> on_peer_connection(turn::RelayId relay, const Endpoint& from) override;
  bool on_connect_result(turn::ConnectionId id, bool established) override;
  // Joins the client's stream, to which a ConnectionBind has been answered, to the peer's connection until both end.
  asio::awaitable<void> splice(turn::ConnectionId id, Stream& client, std::vector<std::uint8_t> first_bytes);
  // Datagrams may wait for flush(), which whoever owns their octets calls before these are used again.
  void perform(const turn::Outcome& outcome, const turn::ClientRef* sender);
  void flush() noexcept { sends_.flush(); }
  void send_to_peer(const turn::ToPeer& to_peer);
  void send_reply(const turn::ClientRef& client, Bytes reply);
  void send_to_client(const turn::ClientRef& client, Bytes bytes, TrafficClass traffic_class);
  void hand_over(const turn::HandOver& packet, const turn::ClientRef& sender);
  void send_to_sibling(const turn::ToSibling& data);
  bool send_to_dtls_session_elsewhere(const turn::ClientRef& client, Bytes message);
  void mail(turn::WorkerIndex to, const WorkerMail& mail, Bytes packet = {});
  void read_mail();
  void on_mail(const ClientPacketMail& mail, MutableBytes packet);
  void on_mail(const RelayedMail& mail, MutableBytes payload);
  void on_mail(const DtlsMail& mail, MutableBytes message);
  void on_mail(const ClientGivenBackMail& mail, MutableBytes none);
  void on_mail(const ClientGoneMail& mail, MutableBytes none);
  void arm_timer();
  void notice_drained();
  void send_at_once(const turn::ToPeer& to_peer);
  void add(const SendBatch::Flow& flow, Bytes datagram) noexcept;
  // nullptr for a socket that is bound to one address.
  const IpAddress* source_for(const turn::ClientRef& client) const noexcept;
  MutableBytes dtls_room() noexcept { return MutableBytes{dtls_packet_}.subspan(turn::Server::kHeadroomBytes, 65536); }

  static constexpr std::uint64_t kMailToken = std::uint64_t{1} << 62;  // listeners have their indexes, relays more

  struct Listener {
    Endpoint asked;
    UdpSocket socket;
    std::uint16_t port;
    bool plain = false;  // STUN and TURN over UDP
    bool dtls = false;
  };

  DatagramLoop loop_;
  ReceiveBatch received_;
  SendBatch sends_;
  RelaySockets relays_;
  TcpRelays tcp_relays_;
  RandomSource& random_;
  RealmSelector selector_;
  const turn::Siblings* siblings_;
  std::vector<TurnDriver*> workers_;
  std::optional<WorkerMailbox> mailbox_;  // with siblings
  turn::Server server_;
  std::function<void()> drained_;  // empty: not draining, or done
  std::unique_ptr<DtlsEndpoint> dtls_;
  DtlsEvictionHandler on_dtls_eviction_;
  std::vector<Listener> listeners_;
  std::unordered_map<std::uint64_t, TurnStreamSession*> streams_;  // they live in serve()
  std::vector<TurnStreamSession*> unsent_streams_;                 // with something to flush
  std::uint64_t last_stream_ = 0;
  asio::steady_timer timer_;
  std::optional<TimePoint> armed_for_;
  bool stopped_ = false;
  TurnDriverCounters counters_;
  turn::ReplyBuffer reply_{};
  Now now_{};  // of this round
  std::uint32_t round_ = 0;
  std::size_t datagrams_ = 0;  // read in it
  Bytes segment_;              // the datagram in hand, where neighbours lie around it
  // Headroom, the largest datagram, tailroom: what DTLS decrypts to.
  std::array<std::uint8_t, turn::Server::kHeadroomBytes + 65536 + turn::Server::kTailroomBytes> dtls_packet_{};
};

}  // namespace causeway::net
