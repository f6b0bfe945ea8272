// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values: what the daemon does where nobody says otherwise, one struct per section.
// load.hpp fills it from a file, the environment and the command line and checks every range named here.
// Nothing changes it after the start; whoever needs a value is given it by the composition root.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"

namespace causeway::config {

enum class Transport : std::uint8_t { kUdp, kTcp, kTls, kDtls };
// What the file calls it.
const char* name_of(Transport transport) noexcept;
constexpr bool is_stream(Transport transport) noexcept {
  return transport == Transport::kTcp || transport == Transport::kTls;
}
constexpr bool needs_certificate(Transport transport) noexcept {
  return transport == Transport::kTls || transport == Transport::kDtls;
}

struct Listener {
  Transport transport = Transport::kUdp;
  IpAddress address;  // "::" takes IPv4 as well
  std::uint16_t port = 0;
  bool turn = true;   // STUN and TURN
  bool http = false;  // the pages and the WebSocket; never on udp and dtls
  // Proxies that speak the PROXY protocol, at most 64, never on udp and dtls; empty: clients connect by themselves.
  std::vector<Prefix> proxy_protocol{};
  bool encrypted_only = false;  // of tls: TURN over plain TCP is refused

  Endpoint endpoint() const { return {address, port}; }
  friend bool operator==(const Listener&, const Listener&) = default;
};

// TURN on 3478 (udp, tcp) and 5349 (tls, dtls); pages and TURN together on 8080 (http) and 8443 (https).
struct DefaultPorts {
  std::uint16_t turn = 3478;
  std::uint16_t turn_tls = 5349;
  std::uint16_t web = 8080;
  std::uint16_t web_tls = 8443;
};
std::vector<Listener> default_listeners(const IpAddress& address, const DefaultPorts& ports);

// Both absent: a self-signed certificate, kept in the state directory. Never one without the other.
struct Tls {
  std::optional<std::filesystem::path> certificate;  // PEM, the server's own first, then its issuers
  std::optional<std::filesystem::path> private_key;  // PEM
};

// "203.0.113.7", "turn.example.org" or, for one of several local addresses, either of them and "/10.0.0.5".
struct ExternalAddress {
  std::string host;                  // an IP address, or a name that is resolved at start and now and then
  std::optional<IpAddress> address;  // where `host` is one
  std::optional<IpAddress> local;    // absent: for each local address of the family without an entry of its own

  friend bool operator==(const ExternalAddress&, const ExternalAddress&) = default;
  std::string to_string() const { return local ? host + "/" + local->to_string() : host; }
};

struct Relay {
  std::vector<IpAddress> addresses;  // 1–16, each once; a wildcard is the local address that the request came to
  std::uint16_t port_min = 49152;    // 1024–65535; RFC 8656 §7.2 prefers the dynamic range
  std::uint16_t port_max = 65535;

  friend bool operator==(const Relay&, const Relay&) = default;
};

struct Peers {
  std::vector<Prefix> allow;  // the longest prefix decides, deny wins over allow of the same length
  std::vector<Prefix> deny;
  bool lan = false;  // true permits the private ranges, see docs/configuration.md
};

// Who gets an answer to a Binding request: everybody, or only clients that have an allocation.
enum class BindingAccess : std::uint8_t { kOpen, kAllocated };

// Of one realm.
struct RealmLimits {
  // A full mesh room of 16 needs 15 connections x 4 URIs x 2 address families = 120 allocations of one member.
  std::uint32_t allocations_per_user = 128;       // 0–1000000, 0 = no limit
  std::uint32_t allocations_per_realm = 0;        // 0–1000000, 0 = no limit
  std::uint64_t allocation_bytes_per_second = 0;  // relayed payload each way, 0–100000000000, 0 = no limit
  std::uint64_t user_bytes_per_second = 0;        // the same of all allocations of one user

  friend bool operator==(const RealmLimits&, const RealmLimits&) noexcept = default;
};

struct Limits : RealmLimits {                              // those of the realm are the default of all realms
  std::uint32_t allocations_per_address = 0;               // 0–1000000, of an IPv4 address or IPv6 /64, 0 = no limit
  std::uint32_t allocations_total = 8000;                  // 0–1000000, 0 = no limit but the relay ports
  std::uint32_t permissions_per_allocation = 100;          // 1–10000
  std::uint32_t channels_per_allocation = 100;             // 1–10000
  std::uint32_t connections_per_allocation = 16;           // 1–1000, of TCP relays, as the next two
  std::uint32_t connections_per_user = 128;                // 0–1000000, 0 = no limit
  std::uint32_t connections_total = 1000;                  // 1–1000000
  std::uint32_t unauthenticated_answers_per_second = 100;  // 0–1000000, per source, 0 = no limit
};

// Where clients are sent while this server is draining.
struct Alternate {
  std::vector<Endpoint> addresses;    // one of each family at most; empty: nowhere
  std::uint16_t tls_port = 0;         // 0–65535, for clients over tls and dtls, 0 = the one in addresses
  std::optional<std::string> domain;  // a name in the other server's certificate, where that is another one

  friend bool operator==(const Alternate&, const Alternate&) = default;
};

struct Lifetimes {
  std::chrono::seconds allocation_seconds_max{3600};  // 600–86400; RFC 8656 §7.2 recommends 3600
};

// RFC 5780. Off without addresses.
struct NatDiscovery {
  std::vector<IpAddress> addresses;           // two of a family, or two of each
  std::vector<IpAddress> external_addresses;  // what a NAT makes of each of them; empty: the same
  std::uint16_t port = 3478;
  std::uint16_t alternate_port = 3479;  // another one

  // Where Binding requests are answered over udp.
  std::vector<Endpoint> endpoints() const;

  friend bool operator==(const NatDiscovery&, const NatDiscovery&) = default;
};

struct Turn {
  std::map<std::string, std::string> users;         // name -> password, at most 10000
  std::vector<std::string> shared_secrets;          // at most 16; empty: the one of the state directory
  std::vector<ExternalAddress> external_addresses;  // at most 32: what relayed addresses advertise
  std::optional<std::string> public_host;           // a name or an IP address; absent: the host of the HTTP request
  Relay relay;
  bool tcp_relay = false;  // RFC 6062
  BindingAccess binding = BindingAccess::kOpen;
  Peers peers;
  Limits limits;
  Lifetimes lifetimes;
  NatDiscovery nat_discovery;
  bool mobility = false;                             // RFC 8016
  std::chrono::microseconds gather_microseconds{0};  // at most 1000; 0: datagrams are never waited for
  Alternate alternate;
  std::uint32_t workers = 1;  // 1–64 loops for relaying, 0 = "auto": one for each CPU
};

// A realm besides the first one, whose name, users, secrets and limits are those of Config and Turn. It is for clients
// that come to one of its addresses, or ask for one of its names by SNI; no other realm has the same.
struct Realm {
  std::string realm;                         // 1–127 characters
  std::vector<IpAddress> addresses;          // at most 64
  std::vector<std::string> server_names;     // in lower case, at most 64
  std::map<std::string, std::string> users;  // as in Turn; users and secrets are not both empty
  std::vector<std::string> shared_secrets;
  RealmLimits limits;
};

// A key that access tokens are verified with. Either a secret (HS…) or a file with a PEM key (RS…, PS…, ES…).
struct TokenKey {
  std::string id;         // what a token's `kid` may say; empty: none
  std::string algorithm;  // "HS256" and so on, see kTokenAlgorithmRule
  std::string secret;     // 32 bytes at least
  std::optional<std::filesystem::path> file;

  friend bool operator==(const TokenKey&, const TokenKey&) = default;
};

// Who may enter which room. Without keys rooms are open.
struct Tokens {
  std::vector<TokenKey> keys;                     // at most 16
  std::optional<std::filesystem::path> jwk_file;  // further keys: a JWK, or a set of them (RFC 7517)
  bool optional = false;                          // true: who has no token may enter as well
  std::optional<std::string> audience;            // what a token's `aud` has to name; absent: it has none

  bool has_keys() const noexcept { return !keys.empty() || jwk_file.has_value(); }
  friend bool operator==(const Tokens&, const Tokens&) = default;
};

struct Signaling {
  std::vector<std::string> origins;                 // "https://example.org", besides the daemon's own
  std::uint32_t room_members_max = 16;              // 2–1000
  std::uint32_t rooms_max = 10'000;                 // 1–1000000
  std::uint32_t sessions_max = 10'000;              // 1–1000000
  std::uint32_t sessions_per_address = 1000;        // 0–1000000, of an IPv4 address or IPv6 /64, 0 = no limit
  std::uint32_t messages_per_second = 100;          // of one session, 0–1000000, 0 = no limit
  std::uint32_t bytes_per_second = 1024 * 1024;     // the same, 1024–1000000000, 0 = no limit
  std::size_t message_bytes_max = 64 * 1024;        // 1024–1048576
  std::size_t queue_bytes_max = 1024 * 1024;        // 2 * message_bytes_max–67108864
  std::chrono::seconds resume_grace_seconds{30};    // 0–300, 0 = a lost connection is a lost member
  std::chrono::seconds ice_ttl_seconds{12 * 3600};  // 10–604800
  bool end_allocations_with_member = true;          // false: credentials are good without their members
  bool waiting_room = false;                        // true: new rooms have a waiting room until a moderator opens them
  Tokens tokens;

  friend bool operator==(const Signaling&, const Signaling&) = default;
};

// Which header names the client behind a proxy.
enum class ForwardedHeader : std::uint8_t { kXForwardedFor, kForwarded };

struct Web {
  std::optional<std::filesystem::path> root;  // absent: the pages built into the binary
  std::vector<Prefix> trusted_proxies;        // HTTP proxies in front, at most 64
  ForwardedHeader forwarded_header = ForwardedHeader::kXForwardedFor;

  friend bool operator==(const Web&, const Web&) = default;
};

// Of the server as a whole.
struct ServerLimits {
  // Of an IPv4 address or IPv6 /64; twice as many of a /56, four times of a /48. At most a quarter of all connections.
  std::uint32_t unauthenticated_connections_per_address = 2000;  // 0–1000000, 0 = no limit

  friend bool operator==(const ServerLimits&, const ServerLimits&) noexcept = default;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

struct Config {
  Config();  // the defaults

  std::optional<std::filesystem::path> file;  // where it came from; absent: no file was read
  std::string realm = "causeway";             // 1–127 characters
  std::optional<std::string> user;            // what a daemon started as root becomes; absent: causeway, where it is
  std::filesystem::path state_directory;      // absolute, never empty after load()
  std::vector<Listener> listeners;            // 1–64
  Tls tls;
  ServerLimits limits;
  Turn turn;
  std::vector<Realm> realms;  // at most 64
  Signaling signaling;
  Web web;
  Log log;
};

}  // namespace causeway::config
