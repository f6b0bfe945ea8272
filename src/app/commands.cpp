// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "app/app.hpp"
#include "app/check.hpp"
#include "app/command_line.hpp"
#include "app/state_directory.hpp"
#include "causeway/base/printable.hpp"
#include "causeway/turn/credentials.hpp"
#include "config/import_turnserver_conf.hpp"
#include "config/load.hpp"
#include "config/text_rules.hpp"
#include "net/system_clock.hpp"

namespace causeway::app {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kLifetimeMax = std::chrono::days{3650};
constexpr std::size_t kCredentialNameBytesMax = 480;  // with the expiry in front below the 509 of RFC 8489 §14.3

struct Streams {
  std::ostream& out;
  std::ostream& err;
};

void print(const config::Findings& findings, std::ostream& to) {
  for (const config::Finding& finding : findings) {
    to << (finding.severity == config::Severity::kWarning ? "warning: " : "error: ") << printable(finding.to_string())
       << '\n';
  }
}

json listeners_as_json(const std::vector<config::Listener>& listeners) {
  json list = json::array();
  for (const config::Listener& listener : listeners) {
    json services = json::array();
    if (listener.turn) services.push_back("turn");
    if (listener.http) services.push_back("http");
    list.push_back({{"transport", name_of(listener.transport)},
                    {"address", listener.address.to_string()},
                    {"port", listener.port},
                    {"services", std::move(services)}});
  }
  return list;
}

// What the options of `serve` lay over the file.
std::vector<config::Setting> settings_of(const ServeArguments& arguments) {
  std::vector<config::Setting> settings;
  for (const std::string& user : arguments.users) {
    const auto colon = user.find(':');
    settings.push_back({{"turn", "users", user.substr(0, colon)}, user.substr(colon + 1), "option --user"});
  }
  if (!arguments.realm.empty()) settings.push_back({{"realm"}, arguments.realm, "option --realm"});
  if (arguments.listeners) {
    const auto listeners = config::default_listeners(IpAddress::parse(arguments.listen).value(), arguments.ports);
    settings.push_back({{"listeners"}, listeners_as_json(listeners), "options --listen and --…port"});
  }
  return settings;
}

std::optional<std::filesystem::path> file_of(const CommandLine& line, const config::Environment& environment) {
  if (!line.file.empty()) return line.file;
  return config::default_file(environment);
}

int serve(const CommandLine& line, const config::Environment& environment, Streams streams) {
  const auto file = file_of(line, environment);
  const auto settings = settings_of(line.serve);
  const auto read = [&] { return config::load(file, environment, settings); };
  const auto config = read();
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  return run(*config, read);
}

int check_config(const CommandLine& line, const config::Environment& environment, Streams streams) {
  const auto config = config::load(line.file, environment);
  const config::Findings findings = config ? check(*config, read_clock().wall) : config.error();
  print(findings, streams.err);
  const bool wrong = std::ranges::any_of(
      findings, [](const config::Finding& finding) { return finding.severity == config::Severity::kError; });
  if (wrong) return kExitBadConfig;
  streams.out << line.file << ": no errors.\n";
  return kExitSuccess;
}

int credential(const CommandLine& line, const config::Environment& environment, Streams streams) {
  const CredentialArguments& arguments = line.credential;
  const auto name = config::kUserNameRule.parse(arguments.user);
  if (!name || name->size() > kCredentialNameBytesMax) {
    streams.err << "error: --user must be 1 to " << kCredentialNameBytesMax
                << " bytes without colons, control and other invisible characters.\n";
    return kExitBadConfig;
  }
  const auto config = config::load(file_of(line, environment), environment);
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  std::string secret;
  if (arguments.realm.empty() || arguments.realm == config->realm) {
    const auto& secrets = config->turn.shared_secrets;
    secret = secrets.empty() ? read_shared_secret(config->state_directory) : secrets.front();
  } else {
    const auto realm =
        std::ranges::find_if(config->realms, [&](const config::Realm& each) { return each.realm == arguments.realm; });
    if (realm == config->realms.end() || realm->shared_secrets.empty()) {
      streams.err << "error: --realm must name a realm of the configuration that has shared_secrets.\n";
      return kExitBadConfig;
    }
    secret = realm->shared_secrets.front();
  }
  const std::chrono::seconds ttl = parse_lifetime(arguments.ttl).value();
  const auto made = turn::make_time_limited_credential(secret, *name, read_clock().wall + ttl);
  if (arguments.json) {
    const json object{{"username", made.username}, {"password", made.password}, {"ttl", ttl.count()}};
    streams.out << object.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  } else {
    streams.out << "username: " << made.username << "\npassword: " << made.password << '\n';
  }
  return kExitSuccess;
}

int token(const CommandLine& line, const config::Environment& environment, Streams streams) {
  const auto config = config::load(file_of(line, environment), environment);
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  return token(line.token, *config, streams.out, streams.err);
}

int import_turnserver_conf(const CommandLine& line, Streams streams) {
  const std::filesystem::path file = line.file;
  const auto text = config::read_file(file);
  if (!text) {
    print(text.error(), streams.err);
    return kExitBadConfig;
  }
  if (text->size() > config::Document::kBytesMax) {
    streams.err << "error: " << line.file << ": this file is larger than 1 MiB and can be no turnserver.conf.\n";
    return kExitBadConfig;
  }
  const config::TurnserverImport import = config::import_turnserver_conf(*text, file.filename().string());
  for (const config::ImportNote& note : import.notes) {
    streams.err << "note: " << line.file << (note.line == 0 ? "" : ":" + std::to_string(note.line)) << ": "
                << printable(note.sentence) << ".\n";
  }
  streams.out << import.json;
  return kExitSuccess;
}

}  // namespace

std::optional<std::chrono::seconds> parse_lifetime(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::int64_t unit_seconds = unit.empty() || unit == "s" ? 1
                                    : unit == "m"               ? 60
                                    : unit == "h"               ? 3600
                                    : unit == "d"               ? 86400
                                                                : 0;
  if (error != std::errc{} || unit_seconds == 0 || count < 1) return std::nullopt;
  if (count > kLifetimeMax.count() / unit_seconds) return std::nullopt;
  return std::chrono::seconds{count * unit_seconds};
}

std::string version_text() {
  return std::string{"causeway "} + CAUSEWAY_VERSION;
}

int execute(std::vector<std::string> arguments, const config::Environment& environment, std::ostream& out,
            std::ostream& err) try {
  const auto line = parse_command_line(std::move(arguments), out, err);
  if (!line) return line.error();
  switch (line->command) {
    case Command::kServe:
      return serve(*line, environment, {out, err});
    case Command::kCheckConfig:
      return check_config(*line, environment, {out, err});
    case Command::kCredential:
      return credential(*line, environment, {out, err});
    case Command::kImportTurnserverConf:
      return import_turnserver_conf(*line, {out, err});
    case Command::kProbe:
      return probe(line->probe, out, err);
    case Command::kToken:
      return token(*line, environment, {out, err});
    case Command::kVersion:
      out << version_text() << '\n';
      return kExitSuccess;
  }
  return kExitBadConfig;
} catch (const std::exception& error) {
  err << "error: " << printable(error.what()) << '\n';
  return kExitFailure;
}

}  // namespace causeway::app
