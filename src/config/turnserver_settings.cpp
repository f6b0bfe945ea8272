// SPDX-License-Identifier: Apache-2.0
#include "config/turnserver_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/limits.hpp"
#include "config/text_rules.hpp"

namespace causeway::config {
namespace {

constexpr std::size_t kRelayAddressesMax = 16;
constexpr std::size_t kListeningAddressesMax = 64;

struct NumberRule {
  std::string_view option;
  std::uint32_t min;
  std::uint32_t max;
};
constexpr auto kNumbers = std::to_array<NumberRule>({{"listening-port", 1, 65535},
                                                     {"tls-listening-port", 1, 65535},
                                                     {"alt-listening-port", 0, 65535},
                                                     {"min-port", 1024, 65535},
                                                     {"max-port", 1024, 65535},
                                                     {"user-quota", 0, 1'000'000},
                                                     {"total-quota", 0, 1'000'000},
                                                     {"max-bps", 0, 4'294'967'295},
                                                     {"relay-threads", 1, 64},
                                                     {"max-allocate-lifetime", 600, 86'400}});
struct Flag {
  std::string_view option;
  std::string_view effect;  // what becomes of it where it is on
};
constexpr std::string_view kBothWays = "users and secrets authenticate side by side";
constexpr auto kFlags = std::to_array<Flag>({{"no-udp", "no listener for plain udp"},
                                             {"no-tcp", "no listener for plain tcp"},
                                             {"no-tls", "no listener for tls"},
                                             {"no-dtls", "no listener for dtls"},
                                             {"dtls", "dtls listeners, where there is a certificate"},
                                             {"lt-cred-mech", kBothWays},
                                             {"use-auth-secret", kBothWays},
                                             {"verbose", "log.level \"info\", the default, says as much"},
                                             {"Verbose", "log.level \"debug\""},
                                             {"no-auth", "not carried over"},
                                             {"mobility", "turn.mobility"},
                                             {"rfc5780", "turn.nat_discovery, where there are two addresses"},
                                             {"no-rfc5780", "no turn.nat_discovery"}});

// Of options that are not known to be on or off: a name or path may begin with an "n" as well.
bool is_word_for_off(std::string_view value) {
  static constexpr auto kWords = std::to_array<std::string_view>(
      {"0", "n", "no", "No", "NO", "f", "false", "False", "FALSE", "off", "Off", "OFF"});
  return std::find(kWords.begin(), kWords.end(), value) != kWords.end();
}

bool is_utf8(const std::string& text) {
  // What the strict form refuses, the lenient one changes.
  const nlohmann::json value = text;
  return nlohmann::json::parse(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore)) == value;
}

class SettingsReader {
 public:
  explicit SettingsReader(std::vector<ImportNote>& notes) : notes_(notes) {}

  void read(const TurnserverOption& option) {
    if (!is_utf8(option.name + option.value)) {
      return notes_.push_back({option.line, "the line is not UTF-8; set what it says by hand"});
    }
    if (read_number(option) || read_text(option) || read_flag(option) || read_address(option)) return;
    if (option.name == "user") return read_user(option);
    if (option.name == "static-auth-secret") return read_secret(option);
    if (is_needless(option.name)) return remark(option, "needs nothing here");
    const std::string_view advice = advice_about(option.name);
    if (!advice.empty() && is_word_for_off(option.value)) return remark(option, "is off");
    if (!advice.empty()) return note(option, std::string{advice});
    // Not named, because a slip may have put a secret there.
    notes_.push_back({option.line,
                      "this option of coturn is not known here; look at the line, and in "
                      "docs/configuration.md for a key that does the same"});
  }

  TurnserverSettings settings() { return std::move(settings_); }

 private:
  void note(const TurnserverOption& option, const std::string& why) {
    notes_.push_back({option.line, option.name + ": " + why});
  }

  void remark(const TurnserverOption& option, std::string_view what) {
    settings_.remarks.push_back({std::string{what}, option.line, option.name});
  }

  void note_comment(const TurnserverOption& option) {
    if (!option.seems_commented()) return;
    note(option,
         "coturn takes what looks like a comment for a part of the value, and so does this; where a comment is meant, "
         "give it a line of its own and import again");
  }

  void note_address(const TurnserverOption& option, const std::string& expected) {
    note(option, option.seems_commented() ? "coturn refuses the address, because it takes the comment behind it for a "
                                            "part of it; where the line is meant, give the comment a line of its own "
                                            "and import again"
                                          : expected);
  }

  template <class T>
  void keep_last(std::map<std::string, Sourced<T>, std::less<>>& all, const TurnserverOption& option, T value) {
    const auto found = all.find(option.name);
    if (found != all.end()) {
      notes_.push_back({found->second.line,
                        option.name + ": line " + std::to_string(option.line) + " says it again, and the last counts"});
    }
    all.insert_or_assign(option.name, Sourced<T>{std::move(value), option.line, option.name});
  }

  bool read_number(const TurnserverOption& option) {
    const auto* rule = std::find_if(kNumbers.begin(), kNumbers.end(),
                                    [&](const NumberRule& candidate) { return candidate.option == option.name; });
    if (rule == kNumbers.end()) return false;
    // coturn reads digits and leaves the rest of the value alone.
    std::uint32_t number = 0;
    const char* end = option.value.data() + option.value.size();
    const auto [stop, error] = std::from_chars(option.value.data(), end, number);
    if (error != std::errc{} || number < rule->min || number > rule->max) {
      note(option,
           "must be a number from " + std::to_string(rule->min) + " to " + std::to_string(rule->max) + " in Causeway");
      return true;
    }
    const std::string_view rest{stop, static_cast<std::size_t>(end - stop)};
    const auto text = rest.find_first_not_of(" \t");
    if (text != std::string_view::npos && rest[text] != '#') {
      note(option,
           "coturn reads the number " + std::to_string(number) + " here and nothing behind it, and so does this");
    }
    keep_last(settings_.numbers, option, number);
    return true;
  }

  bool read_text(const TurnserverOption& option) {
    if (option.name == "realm") {
      if (kRealmRule.parse(option.value)) {
        note_comment(option);
        keep_last(settings_.texts, option, option.value);
      } else {
        note(option, "must be " + std::string{kRealmRule.expected});
      }
      return true;
    }
    if (option.name != "cert" && option.name != "pkey") return false;
    if (option.value.empty()) {
      note(option, "names no file");
    } else {
      if (!option.value.starts_with('/')) {
        note(option,
             "is a relative path: it begins at the folder of Causeway's configuration file, not where coturn "
             "looked; carried over as it is, so check it");
      }
      note_comment(option);
      keep_last(settings_.texts, option, option.value);
    }
    return true;
  }

  bool read_flag(const TurnserverOption& option) {
    const auto* flag = std::find_if(kFlags.begin(), kFlags.end(),
                                    [&](const Flag& candidate) { return candidate.option == option.name; });
    if (flag == kFlags.end()) return false;
    const bool always_on = option.name == "use-auth-secret" || option.name == "lt-cred-mech";  // coturn does not look
    const auto is_on = always_on ? true : option.is_on();
    if (!is_on) note(option, "coturn does not start with this value; taken for on");
    settings_.flags.erase(option.name);
    settings_.off.erase(option.name);
    (is_on.value_or(true) ? settings_.flags : settings_.off)[option.name] = option.line;
    remark(option, is_on.value_or(true) ? flag->effect : "is off");
    if (option.name == "no-auth" && is_on.value_or(true)) {
      note(option,
           "coturn relays for anybody with this, and anybody can attack others through it; Causeway has no such "
           "mode: set turn.users, or give clients time-limited credentials made from turn.shared_secrets");
    }
    return true;
  }

  bool read_address(const TurnserverOption& option) {
    if (option.name == "allowed-peer-ip" || option.name == "denied-peer-ip") {
      const auto range = parse_address_range(option.value);
      auto& ranges = option.name == "allowed-peer-ip" ? settings_.allowed_peers : settings_.denied_peers;
      if (range) {
        ranges.push_back({*range, option.line, option.name});
      } else {
        note_address(option, "must be an IP address, or a first and a last one with a dash between");
      }
      return true;
    }
    if (option.name == "external-ip") return read_external(option), true;
    if (option.name != "listening-ip" && option.name != "relay-ip") return false;
    auto& addresses = option.name == "relay-ip" ? settings_.relay : settings_.listening;
    const std::size_t count_max = option.name == "relay-ip" ? kRelayAddressesMax : kListeningAddressesMax;
    const auto address = IpAddress::parse(option.value);
    if (!address) {
      note_address(option, "must be an IP address; Causeway does not look up names and network cards here");
    } else if (addresses.size() == count_max) {
      note(option, "Causeway takes " + std::to_string(count_max) + " of these at most");
    } else if (std::none_of(addresses.begin(), addresses.end(),
                            [&](const Sourced<IpAddress>& other) { return other.value == *address; })) {
      addresses.push_back({*address, option.line, option.name});
    } else {
      remark(option, "a line above names the same address");
    }
    return true;
  }

  void read_external(const TurnserverOption& option) {
    const auto address = kExternalAddressRule.parse(option.value);
    if (!address) {
      return note_address(option, "must be an IP address or a host name, perhaps with a slash and a local address");
    }
    const auto same = std::find_if(settings_.external.begin(), settings_.external.end(),
                                   [&](const auto& other) { return common_to(other.value, *address).has_value(); });
    if (same != settings_.external.end()) {
      return note(option, "cannot stand beside line " + std::to_string(same->line) + ", because both are for " +
                              *common_to(same->value, *address) +
                              "; LEFT OUT. Write the local address of each behind a slash");
    }
    if (settings_.external.size() == kExternalAddressesMax) {
      return note(option, "Causeway takes " + std::to_string(kExternalAddressesMax) + " of these at most");
    }
    settings_.external.push_back({*address, option.line, option.name});
  }

  void read_user(const TurnserverOption& option) {
    const auto colon = option.value.find(':');
    if (colon == std::string::npos) return note(option, "must be NAME:PASSWORD");
    const auto name = kUserNameRule.parse(option.value.substr(0, colon));  // composed, so that two forms are one name
    const std::string password = option.value.substr(colon + 1);
    if (password.starts_with("0x")) {
      return note(option,
                  "coturn stores a key here that the password cannot be read from; set the password itself in "
                  "turn.users, or a new one");
    }
    if (!name || !kPasswordRule.parse(password)) {
      return note(option, "name and password must each be 1 to 508 bytes without control characters");
    }
    note_comment(option);
    if (settings_.users.size() == kUsersMax) {
      return note(option, "Causeway takes " + std::to_string(kUsersMax) + " users; use time-limited credentials");
    }
    if (const auto same = settings_.users.find(*name); same != settings_.users.end()) {
      notes_.push_back({same->second.line, "user: line " + std::to_string(option.line) +
                                               " names the same user again, once its letters are composed (RFC 8265), "
                                               "and the password there counts"});
    }
    settings_.users.insert_or_assign(*name, Sourced<std::string>{password, option.line, "user"});
  }

  void read_secret(const TurnserverOption& option) {
    if (!kSharedSecretRule.parse(option.value)) {
      return note(option, "must be " + std::string{kSharedSecretRule.expected});
    }
    if (settings_.secrets.size() == kSecretsMax) {
      return note(option, "Causeway takes " + std::to_string(kSecretsMax) + " of these at most");
    }
    note_comment(option);
    settings_.secrets.push_back({option.value, option.line, option.name});
  }

  std::vector<ImportNote>& notes_;
  TurnserverSettings settings_;
};

}  // namespace

TurnserverSettings read_turnserver_settings(const std::vector<TurnserverOption>& options,
                                            std::vector<ImportNote>& notes) {
  SettingsReader reader{notes};
  for (const TurnserverOption& option : options)
    reader.read(option);
  return reader.settings();
}

}  // namespace causeway::config
