// SPDX-License-Identifier: Apache-2.0
#include "config/import_turnserver_conf.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/commented_json.hpp"
#include "config/limits.hpp"
#include "config/load.hpp"
#include "config/turnserver_listeners.hpp"
#include "config/turnserver_settings.hpp"

namespace causeway::config {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t kPortMin = 49152;
constexpr std::uint32_t kPortMax = 65535;

class Writer {
 public:
  Writer(const TurnserverSettings& settings, std::string_view file, std::vector<ImportNote>& notes)
      : settings_(settings), file_(file), notes_(notes) {
    std::replace_if(
        file_.begin(), file_.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7F; }, '?');
  }

  std::string write() {
    out_.comment("Made from " + file_ + " by \"causeway import-turnserver-conf\". A key that is not here has its");
    out_.comment("default. Check it with: causeway check-config FILE");
    write_text("realm", "realm");
    write_listeners();
    write_tls();
    out_.open_object("turn");
    write_credentials();
    write_external_addresses();
    write_relay();
    write_peers();
    write_mobility();
    write_tcp_relay();
    write_nat_discovery();
    write_limits();
    write_number("relay-threads", "workers");
    out_.close_object();
    write_log();
    write_remarks();
    return out_.finish();
  }

 private:
  std::string origin(std::size_t line, std::string_view option) const {
    return file_ + ":" + std::to_string(line) + " " + std::string{option};
  }
  template <class T>
  void comment_origin(const Sourced<T>& setting) {
    out_.comment(origin(setting.line, setting.option));
  }

  template <class T>
  void write_from(const std::map<std::string, Sourced<T>, std::less<>>& all, std::string_view option,
                  std::string_view key) {
    const auto found = all.find(option);
    if (found == all.end()) return;
    comment_origin(found->second);
    out_.member(key, found->second.value);
  }
  void write_text(std::string_view option, std::string_view key) { write_from(settings_.texts, option, key); }
  void write_number(std::string_view option, std::string_view key) { write_from(settings_.numbers, option, key); }

  std::uint32_t number_or(std::string_view option, std::uint32_t by_default) const {
    const auto found = settings_.numbers.find(option);
    return found == settings_.numbers.end() ? by_default : found->second.value;
  }

  void write_listener(const PlannedListener& planned) {
    const auto& [listener, option, line, address] = planned;
    std::string origin_of_it = line == 0 ? "coturn's default of " + option : origin(line, option);
    if (address.line != 0) origin_of_it += ", " + origin(address.line, address.option);
    if (listener.encrypted_only) origin_of_it += ", without plain tcp";
    out_.comment(origin_of_it);
    ordered_json json{{"transport", name_of(listener.transport)},
                      {"address", listener.address.to_string()},
                      {"port", listener.port},
                      {"services", ordered_json::array({"turn"})}};
    if (listener.encrypted_only) json["encrypted_only"] = true;
    out_.element(json);
  }

  void write_listeners() {
    planned_ = plan_listeners(settings_, notes_);
    if (planned_.empty()) {
      notes_.push_back(
          {0,
           "no listener is left after no-udp, no-tcp, no-tls and no-dtls (or without cert and pkey); Causeway's "
           "default listeners apply until you write \"listeners\""});
      return;
    }
    const auto is_dtls = [](const PlannedListener& each) { return each.listener.transport == Transport::kDtls; };
    out_.comment("As coturn listened: both ports take plain TURN and, with a certificate, TLS; a tls listener takes");
    out_.comment("plain tcp too. To serve the call page and signaling, add \"http\" to the services of tls.");
    if (!settings_.has("dtls") && std::any_of(planned_.begin(), planned_.end(), is_dtls)) {
      out_.comment("dtls: coturn up to 4.16 has it with a certificate, later versions only with the option dtls,");
      out_.comment("which is not in the file: remove those listeners if you come from one of them.");
    }
    out_.open_list("listeners");
    for (const PlannedListener& each : planned_)
      write_listener(each);
    out_.close_list();
  }

  void write_tls() {
    if (has_certificate(settings_)) {
      out_.open_object("tls");
      write_text("cert", "certificate");
      write_text("pkey", "private_key");
      out_.close_object();
      return;
    }
    for (const std::string_view option : {"cert", "pkey"}) {
      const auto found = settings_.texts.find(option);
      if (found == settings_.texts.end()) continue;
      notes_.push_back({found->second.line, std::string{option} + ": is of no use without the other of cert and pkey; "
                                                                  "set both in \"tls\" and add a tls listener"});
    }
    if (!planned_.empty() && !settings_.has("no-tls")) {
      notes_.push_back({0,
                        "there is no TLS listener, because cert and pkey are not both set; to have one, set \"tls\" "
                        "and add {\"transport\": \"tls\", \"port\": 5349} to \"listeners\""});
    }
  }

  void write_credentials() {
    const bool by_secret = settings_.has("use-auth-secret") || !settings_.secrets.empty();
    if (by_secret) {
      for (const auto& [name, user] : settings_.users) {
        notes_.push_back({user.line,
                          "user: coturn ignores its static users while use-auth-secret or static-auth-secret "
                          "is set; Causeway takes both, so this user would come alive: add it to turn.users "
                          "where that is meant"});
      }
    } else if (!settings_.users.empty()) {
      out_.open_object("users");
      for (const auto& [name, user] : settings_.users) {
        comment_origin(user);
        out_.member(name, user.value);
      }
      out_.close_object();
    }
    if (!settings_.secrets.empty()) {
      out_.comment("The first makes the credentials of the members of rooms, all are accepted.");
      out_.open_list("shared_secrets");
      for (const Sourced<std::string>& secret : settings_.secrets) {
        comment_origin(secret);
        out_.element(secret.value);
      }
      out_.close_list();
    }
    note_missing_credentials();
  }

  void note_missing_credentials() {
    if (!settings_.secrets.empty()) return;
    if (const auto found = settings_.flags.find("use-auth-secret"); found != settings_.flags.end()) {
      notes_.push_back({found->second,
                        "use-auth-secret: the secrets are not in this file but in coturn's database; add "
                        "them to turn.shared_secrets"});
    } else if (settings_.users.empty() && !settings_.has("no-auth")) {
      notes_.push_back({0,
                        "the file names no user and no secret that could be carried over, so coturn may have relayed "
                        "for anybody; Causeway never does: set turn.users, or give clients time-limited credentials "
                        "made from turn.shared_secrets"});
    }
  }

  // As check-config has it: an external address stands for a local one from which packets are relayed.
  bool can_stand(const ExternalAddress& external) const {
    if (settings_.relay.empty() || !external.address) return true;
    return std::any_of(settings_.relay.begin(), settings_.relay.end(), [&](const Sourced<IpAddress>& relay) {
      return relay.value.family() == external.address->family() &&
             (!external.local || relay.value.is_unspecified() || relay.value == *external.local);
    });
  }

  void write_external_addresses() {
    if (settings_.external.empty()) return;
    out_.open_list("external_addresses");
    for (const Sourced<ExternalAddress>& address : settings_.external) {
      if (!can_stand(address.value)) {
        notes_.push_back({address.line,
                          "external-ip: no relay-ip is the local address that it could stand for; LEFT OUT. Add that "
                          "address to turn.relay.addresses, then this one to turn.external_addresses"});
        continue;
      }
      comment_origin(address);
      out_.element(address.value.to_string());
    }
    out_.close_list();
  }

  bool relay_ports_fit() {
    if (number_or("min-port", kPortMin) <= number_or("max-port", kPortMax)) return true;
    for (const std::string_view option : {"min-port", "max-port"}) {
      const auto found = settings_.numbers.find(option);
      if (found == settings_.numbers.end()) continue;
      notes_.push_back({found->second.line, std::string{option} +
                                                ": the range of relay ports ends before it begins; set "
                                                "turn.relay.port_min and turn.relay.port_max"});
    }
    return false;
  }

  void write_relay() {
    out_.open_object("relay");
    if (!settings_.relay.empty()) {
      out_.open_list("addresses");
      for (const Sourced<IpAddress>& address : settings_.relay) {
        comment_origin(address);
        out_.element(address.value.to_string());
      }
      out_.close_list();
    }
    if (relay_ports_fit()) {
      write_number("min-port", "port_min");
      write_number("max-port", "port_max");
    }
    out_.close_object();
  }

  // Without those that `stronger` covers: there the longest prefix would decide otherwise than coturn.
  void write_prefixes(std::string_view key, const std::vector<Sourced<AddressRange>>& ranges,
                      const std::vector<Prefix>& stronger) {
    if (ranges.empty()) return;
    out_.open_list(key);
    std::size_t count = 0;
    for (const Sourced<AddressRange>& range : ranges) {
      std::vector<Prefix> prefixes = prefixes_of(range.value);
      std::erase_if(prefixes, [&](const Prefix& prefix) {
        return std::any_of(stronger.begin(), stronger.end(), [&](const Prefix& other) {
          return other.length() <= prefix.length() && other.contains(prefix.address());
        });
      });
      count += prefixes.size();
      if (count > kPrefixesMax) {
        notes_.push_back({range.line, range.option + ": Causeway takes " + std::to_string(kPrefixesMax) +
                                          " prefixes a list, so this range and those below are LEFT OUT; write fewer "
                                          "and larger prefixes by hand into turn.peers." +
                                          std::string{key}});
        break;
      }
      comment_origin(range);
      if (prefixes.empty()) out_.comment("  allowed as a whole above, which wins in coturn");
      for (const Prefix& prefix : prefixes)
        out_.element(prefix.to_string());
    }
    out_.close_list();
  }

  void write_peers() {
    std::vector<Prefix> allowed;
    for (const Sourced<AddressRange>& range : settings_.allowed_peers) {
      const auto prefixes = prefixes_of(range.value);
      allowed.insert(allowed.end(), prefixes.begin(), prefixes.end());
    }
    out_.comment("Unlike coturn, Causeway refuses private and special ranges unless they are allowed here by a prefix");
    out_.comment("as long as theirs; \"lan\": true permits the private ones. The longest prefix that fits decides.");
    out_.open_object("peers");
    write_prefixes("allow", settings_.allowed_peers, {});
    write_prefixes("deny", settings_.denied_peers, allowed);
    out_.close_object();
  }

  void write_mobility() {
    const auto found = settings_.flags.find("mobility");
    if (found == settings_.flags.end()) return;
    out_.comment(origin(found->second, "mobility"));
    out_.member("mobility", true);
  }

  // Off, unlike in coturn: browsers have no use for it, and it opens more than most operators know of.
  void write_tcp_relay() {
    out_.comment("coturn relays TCP (RFC 6062) unless no-tcp-relay forbids it. true, if clients of yours need that.");
    out_.member("tcp_relay", false);
  }

  // The first two of each family, where there are two: then coturn has NAT behaviour discovery on (RFC 5780).
  std::vector<Sourced<IpAddress>> discovery_addresses() const {
    std::vector<Sourced<IpAddress>> pairs;
    for (const AddressFamily family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
      std::vector<Sourced<IpAddress>> found;
      for (const Sourced<IpAddress>& address : settings_.listening) {
        const bool fits = address.value.family() == family && !address.value.is_unspecified();
        if (fits && found.size() < 2) found.push_back(address);
      }
      if (found.size() == 2) pairs.insert(pairs.end(), found.begin(), found.end());
    }
    return pairs;
  }

  void write_nat_discovery() {
    const auto alternate = settings_.numbers.find("alt-listening-port");
    const bool is_off = settings_.has("no-rfc5780") || settings_.is_off("rfc5780") || settings_.has("no-udp");
    const auto addresses = is_off ? std::vector<Sourced<IpAddress>>{} : discovery_addresses();
    if (addresses.empty() || !settings_.external.empty()) {
      const std::string why =
          addresses.empty() ? "NAT behaviour discovery (RFC 5780) needs two listening-ip of a family, and neither "
                              "no-rfc5780 nor no-udp; without, there is no second port"
                            : "with external-ip, write turn.nat_discovery by hand: its external_addresses must "
                              "say which public address each listening-ip has";
      const std::size_t line = alternate != settings_.numbers.end() ? alternate->second.line : 0;
      if (line != 0 || !addresses.empty()) notes_.push_back({line, "alt-listening-port: " + why});
      return;
    }
    const std::uint32_t port = number_or("listening-port", kTurnserverPort);
    const bool is_same = alternate != settings_.numbers.end() && alternate->second.value == port;
    const bool is_named = alternate != settings_.numbers.end() && alternate->second.value != 0 && !is_same;
    if (is_same) {
      notes_.push_back({alternate->second.line,
                        "alt-listening-port: is the port of listening-port; NAT behaviour discovery (RFC 5780) needs "
                        "another one, so it is the next"});
    }
    out_.comment("coturn up to 4.6 answers NAT behaviour discovery (RFC 5780) where it has two addresses, later ones");
    out_.comment("with the option rfc5780.");
    out_.open_object("nat_discovery");
    out_.open_list("addresses");
    for (const Sourced<IpAddress>& address : addresses)
      out_.element(address.value.to_string());
    out_.close_list();
    out_.member("port", port);
    if (alternate != settings_.numbers.end()) comment_origin(alternate->second);
    out_.member("alternate_port", is_named ? alternate->second.value : port % 65535 + 1);
    out_.close_object();
  }

  void write_limits() {
    out_.open_object("limits");
    write_number("user-quota", "allocations_per_user");
    write_number("total-quota", "allocations_total");
    write_number("max-bps", "allocation_bytes_per_second");
    out_.close_object();
    if (settings_.numbers.find("max-allocate-lifetime") == settings_.numbers.end()) return;
    out_.open_object("lifetimes");
    write_number("max-allocate-lifetime", "allocation_seconds_max");
    out_.close_object();
  }

  void write_log() {
    const auto found = settings_.flags.find("Verbose");
    if (found == settings_.flags.end()) return;
    out_.open_object("log");
    out_.comment(origin(found->second, "Verbose"));
    out_.member("level", "debug");
    out_.close_object();
  }

  void write_remarks() {
    for (const Sourced<std::string>& remark : settings_.remarks)
      out_.comment(origin(remark.line, remark.option) + ": " + remark.value + ".");
    for (const Sourced<std::string>& remark : remarks_on_listening(settings_, planned_))
      out_.comment(origin(remark.line, remark.option) + ": " + remark.value + ".");
  }

  const TurnserverSettings& settings_;
  std::string file_;
  std::vector<ImportNote>& notes_;
  CommentedJson out_;
  std::vector<PlannedListener> planned_;  // empty: the default ones apply
};

// What nobody has thought of: a value that a key of Causeway does not take after all.
void note_what_cannot_stand(const std::string& json, std::vector<ImportNote>& notes) {
  const auto config = load_text(json, std::nullopt, {{"STATE_DIRECTORY", "/var/lib/causeway"}});
  if (config) return;
  for (const Finding& finding : config.error())
    notes.push_back({0, "the result does not pass check-config: " + finding.sentence + " Change it by hand"});
}

}  // namespace

TurnserverImport import_turnserver_conf(std::string_view text, std::string_view name) {
  TurnserverImport import;
  const TurnserverSettings settings = read_turnserver_settings(parse_turnserver_conf(text), import.notes);
  import.json = Writer{settings, name, import.notes}.write();
  note_what_cannot_stand(import.json, import.notes);
  std::stable_sort(import.notes.begin(), import.notes.end(), [](const ImportNote& a, const ImportNote& b) {
    return std::pair{a.line == 0, a.line} < std::pair{b.line == 0, b.line};
  });
  return import;
}

}  // namespace causeway::config
