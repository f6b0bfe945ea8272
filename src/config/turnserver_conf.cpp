// SPDX-License-Identifier: Apache-2.0
#include "config/turnserver_conf.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace causeway::config {
namespace {

constexpr std::string_view kBlanks = " \t\r";

constexpr std::array kNeedless = std::to_array<std::string_view>({"fingerprint",
                                                                  "no-tcp-relay",
                                                                  "no-multicast-peers",
                                                                  "no-loopback-peers",
                                                                  "no-tlsv1",
                                                                  "no-tlsv1_1",
                                                                  "no-sslv3",
                                                                  "stale-nonce",
                                                                  "no-cli",
                                                                  "cli-ip",
                                                                  "cli-port",
                                                                  "cli-password",
                                                                  "cli-max-output-sessions",
                                                                  "no-stdout-log",
                                                                  "simple-log",
                                                                  "new-log-timestamp",
                                                                  "new-log-timestamp-format",
                                                                  "log-binding",
                                                                  "pidfile",
                                                                  "daemon",
                                                                  "no-software-attribute",
                                                                  "no-stun-backward-compatibility",
                                                                  "no-dynamic-ip-list",
                                                                  "no-dynamic-realms",
                                                                  "udp-self-balance",
                                                                  "ne",
                                                                  "keep-address-family",
                                                                  "dh566",
                                                                  "dh1066",
                                                                  "dh2066",
                                                                  "ec-curve-name",
                                                                  "max-allocate-timeout",
                                                                  "response-origin-only-with-rfc5780",
                                                                  "no-auth-pings",
                                                                  "prod",
                                                                  "no-tlsv1_3",
                                                                  "stateless-nonce",
                                                                  "unauthorized-ratelimit",
                                                                  "udp-gso",
                                                                  "udp-recvmmsg",
                                                                  "rfc5766-channel-numbers",
                                                                  "drop-invalid-packets",
                                                                  "respond-http-unsupported",
                                                                  "include-reason-string"});

struct Advice {
  std::string_view option;
  std::string_view sentence;
};

constexpr std::string_view kDatabase =
    "users in a database are not carried over; list them in turn.users, or give clients time-limited credentials "
    "made from turn.shared_secrets";

constexpr std::string_view kAlternate =
    "coturn spreads new clients over these servers at once; Causeway sends clients elsewhere only while it drains "
    "(turn.alternate), so name all servers in the clients";

constexpr std::string_view kBinding =
    "Causeway answers Binding requests of everybody; turn.binding \"allocated\" leaves only clients that have an "
    "allocation";
constexpr std::string_view kMetrics = "Causeway has no metrics for Prometheus";
constexpr std::string_view kOnePort = "each allocation of Causeway has a relay port of its own, see turn.relay";
constexpr std::string_view kNoCli = "Causeway has no command line to connect to";

constexpr std::array kAdvice{
    Advice{"alt-tls-listening-port", "NAT behaviour discovery (RFC 5780) is set in turn.nat_discovery"},
    Advice{"aux-server", "add listeners with that address and port to \"listeners\", for udp, tcp and tls"},
    Advice{"listening-device", "Causeway binds addresses, not network cards; name the card's address in listeners"},
    Advice{"relay-device",
           "Causeway binds addresses, not network cards; name the card's address in "
           "turn.relay.addresses"},
    Advice{"tcp-proxy-port",
           "coturn takes the PROXY protocol from anybody there; add a tcp or tls listener with this port, and the "
           "addresses of your proxies in its proxy_protocol"},
    Advice{"cpus",
           "coturn starts as many threads; turn.workers says how many relay in Causeway, 1 by default, and \"auto\" is "
           "one for each CPU"},
    Advice{"userdb", kDatabase},
    Advice{"db", kDatabase},
    Advice{"psql-userdb", kDatabase},
    Advice{"mysql-userdb", kDatabase},
    Advice{"mongo-userdb", kDatabase},
    Advice{"redis-userdb", kDatabase},
    Advice{"redis-statsdb",
           "Causeway keeps no statistics in Redis; the log has one line for each allocation that ends"},
    Advice{"sql-userdb", kDatabase},
    Advice{"secret-key-file", kDatabase},
    Advice{"server-name", "the name is only used for OAuth, which Causeway does not have"},
    Advice{
        "rest-api-separator",
        "Causeway takes EXPIRY:NAME only, with a colon; have usernames made like that, or take the line out where it "
        "says a colon"},
    Advice{"oauth",
           "Causeway has no OAuth (RFC 7635); give clients time-limited credentials made from "
           "turn.shared_secrets"},
    Advice{"bps-capacity",
           "Causeway limits the bandwidth of each allocation and user, not of all together: see "
           "turn.limits.allocation_bytes_per_second and turn.limits.user_bytes_per_second"},
    Advice{"alternate-server", kAlternate},
    Advice{"tls-alternate-server", kAlternate},
    Advice{"tcp-alternate-server", kAlternate},
    Advice{"udp-alternate-server", kAlternate},
    Advice{"no-udp-relay",
           "every allocation of Causeway relays UDP, which is what TURN is for; do not run it where "
           "no UDP may be relayed"},
    Advice{"channel-lifetime", "a channel lives 600 seconds, as RFC 8656 §12 says"},
    Advice{"permission-lifetime", "a permission lives 300 seconds, as RFC 8656 §9 says"},
    Advice{"pkey-pwd",
           "Causeway reads private keys without a password; write one with \"openssl pkey -in OLD -out "
           "NEW\", readable for its user only, and name it in tls.private_key"},
    Advice{"cipher-list", "Causeway offers forward-secret ciphers with AES-GCM or ChaCha20 only"},
    Advice{"ciphersuites", "Causeway offers all ciphers of TLS 1.3"},
    Advice{"dh-file", "Causeway offers ciphers with elliptic curves, which need no such file"},
    Advice{"CA-file", "Causeway does not ask clients for certificates; users authenticate by password"},
    Advice{"no-tlsv1_2", "Causeway offers TLS 1.2 and 1.3 together; old clients need 1.2"},
    Advice{"log-file", "Causeway logs to standard error; systemd keeps it, see \"journalctl -u causeway\""},
    Advice{"syslog", "Causeway logs to standard error; systemd keeps it, see \"journalctl -u causeway\""},
    Advice{"syslog-facility", "Causeway logs to standard error; systemd keeps it, see \"journalctl -u causeway\""},
    Advice{"stun-only",
           "Causeway always relays for users who authenticate; without users and with a secret that "
           "nobody has, only STUN is left"},
    Advice{"no-stun", kBinding},
    Advice{"secure-stun", kBinding},
    Advice{"allow-loopback-peers",
           "this lets every user reach services of the server itself; only where that is meant, "
           "add \"127.0.0.0/8\" and \"::1/128\" to turn.peers.allow"},
    Advice{"allocation-default-address-family", "an Allocate without a family gets IPv4, as RFC 8656 §7.2 says"},
    Advice{"proc-user",
           "the systemd unit runs Causeway as the user causeway; a daemon that is started as root becomes the user of "
           "the key \"user\""},
    Advice{"proc-group", "the systemd unit runs Causeway as the group causeway"},
    Advice{"web-admin", "Causeway has no administration pages"},
    Advice{"web-admin-ip", "Causeway has no administration pages"},
    Advice{"web-admin-port", "Causeway has no administration pages"},
    Advice{"web-admin-listen-on-workers", "Causeway has no administration pages"},
    Advice{"prometheus", kMetrics},
    Advice{"prometheus-address", kMetrics},
    Advice{"prometheus-cert", kMetrics},
    Advice{"prometheus-key", kMetrics},
    Advice{"prometheus-path", kMetrics},
    Advice{"prometheus-port", kMetrics},
    Advice{"prometheus-tls", kMetrics},
    Advice{"prometheus-username-labels", kMetrics},
    Advice{"multiplex-peer", kOnePort},
    Advice{"multiplex-peer-port", kOnePort},
    Advice{"multiplex-peer-max-peers", kOnePort},
    Advice{"cli", kNoCli},
    Advice{"drain-min-allocations", "how Causeway drains is in docs/operations.md, \"Draining\""},
    Advice{"stateless-nonce-secret",
           "the nonces of Causeway hold no state either, but each server makes its own key; a client that comes to "
           "another server authenticates there once more"},
    Advice{
        "unauthorized-ratelimit-rps",
        "turn.limits.unauthenticated_answers_per_second limits Binding answers and challenges to one source together, "
        "100 by default"},
    Advice{"rfc3489-compatibility", "what Causeway does for clients of RFC 3489 is in docs/rfc-matrix.md"},
    Advice{"stun-backward-compatibility", "what Causeway does for clients of RFC 3489 is in docs/rfc-matrix.md"},
    Advice{"software-attribute", "no answer of Causeway tells strangers the name and version of the program"},
    Advice{"log-min-level", "set log.level to \"debug\", \"info\", \"warning\" or \"error\""},
    Advice{"raw-public-keys", "Causeway has no raw public keys (RFC 7250); clients verify its certificate"},
    Advice{"sock-buf-size",
           "Causeway asks for large buffers itself; see \"Receive buffers\" in docs/operations.md for the limit of the "
           "system"},
    Advice{"tlsv1", "Causeway offers TLS 1.2 and 1.3"},
    Advice{"tlsv1_1", "Causeway offers TLS 1.2 and 1.3"},
    Advice{"acme-redirect", "let the ACME client use port 80 itself, or a DNS challenge"},
    Advice{"server-relay", "this relays to any local port; Causeway has no such mode"},
    Advice{"check-origin-consistency", "Causeway does not look at the ORIGIN attribute, which has expired as a draft"},
    Advice{"origin", "Causeway does not look at the ORIGIN attribute, which has expired as a draft"},
};

// "name" and what stands behind the blanks or equals signs after it.
std::pair<std::string_view, std::string_view> split_option(std::string_view line) {
  const auto end = line.find_first_of("= \t");
  if (end == std::string_view::npos) return {line, {}};
  const auto value = line.find_first_not_of("= \t", end);
  return {line.substr(0, end), value == std::string_view::npos ? std::string_view{} : line.substr(value)};
}

std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') return value.substr(1, value.size() - 2);
  return value;
}

}  // namespace

std::optional<bool> TurnserverOption::is_on() const {
  static constexpr std::array<std::string_view, 3> kOn{"on", "On", "ON"};
  static constexpr std::array<std::string_view, 3> kOff{"off", "Off", "OFF"};
  if (value.empty() || std::string_view{"yYtT123456789"}.find(value.front()) != std::string_view::npos) return true;
  if (std::string_view{"0nNfF"}.find(value.front()) != std::string_view::npos) return false;
  if (std::find(kOn.begin(), kOn.end(), value) != kOn.end()) return true;
  if (std::find(kOff.begin(), kOff.end(), value) != kOff.end()) return false;
  return std::nullopt;
}

bool TurnserverOption::seems_commented() const {
  return value.starts_with('#') || value.find(" #") != std::string::npos || value.find("\t#") != std::string::npos;
}

std::vector<TurnserverOption> parse_turnserver_conf(std::string_view text) {
  std::vector<TurnserverOption> options;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view rest = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), rest.size() + 1));
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(kBlanks)));
    rest = rest.substr(0, rest.find_last_not_of(kBlanks) + 1);
    if (rest.empty() || rest.front() == '#') continue;
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of('-')));
    const auto [name, value] = split_option(rest);
    options.push_back({line, std::string{name}, std::string{unquoted(value)}});
  }
  return options;
}

bool is_needless(std::string_view option) {
  return std::find(kNeedless.begin(), kNeedless.end(), option) != kNeedless.end();
}

std::string_view advice_about(std::string_view option) {
  const auto* found =
      std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& advice) { return advice.option == option; });
  return found == kAdvice.end() ? std::string_view{} : found->sentence;
}

}  // namespace causeway::config
