// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "app/app.hpp"
#include "app/check.hpp"
#include "app/probe_command.hpp"
#include "app/state_directory.hpp"
#include "app/token_command.hpp"
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

struct Options {
  std::string file;  // empty: the default one, if any
  std::vector<std::string> users;
  std::string realm;
  std::string listen;
  config::DefaultPorts ports;
  std::string credential_user;
  std::string credential_realm;  // empty: the first one
  std::string credential_ttl = "1h";
  bool credential_as_json = false;
};

struct Streams {
  std::ostream& out;
  std::ostream& err;
};

void print(const config::Findings& findings, std::ostream& to) {
  for (const config::Finding& finding : findings) {
    to << (finding.severity == config::Severity::kWarning ? "warning: " : "error: ") << finding.to_string() << '\n';
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
std::vector<config::Setting> settings_of(const Options& options, const CLI::App& serve) {
  std::vector<config::Setting> settings;
  for (const std::string& user : options.users) {
    const auto colon = user.find(':');
    settings.push_back({{"turn", "users", user.substr(0, colon)}, user.substr(colon + 1), "option --user"});
  }
  if (!options.realm.empty()) settings.push_back({{"realm"}, options.realm, "option --realm"});
  const auto given = [&](const char* option) { return serve.count(option) > 0; };
  const auto about_listeners = {"--listen", "--port", "--tls-port", "--web-port", "--web-tls-port"};
  if (std::ranges::any_of(about_listeners, given)) {
    const auto listeners = config::default_listeners(IpAddress::parse(options.listen).value(), options.ports);
    settings.push_back({{"listeners"}, listeners_as_json(listeners), "options --listen and --…port"});
  }
  return settings;
}

std::optional<std::filesystem::path> file_of(const Options& options, const config::Environment& environment) {
  if (!options.file.empty()) return options.file;
  return config::default_file(environment);
}

int serve(const Options& options, const CLI::App& command, const config::Environment& environment, Streams streams) {
  const auto file = file_of(options, environment);
  const auto settings = settings_of(options, command);
  const auto read = [&] { return config::load(file, environment, settings); };
  const auto config = read();
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  return run(*config, read, streams.out);
}

int check_config(const Options& options, const config::Environment& environment, Streams streams) {
  const auto config = config::load(options.file, environment);
  const config::Findings findings = config ? check(*config, read_clock().wall) : config.error();
  print(findings, streams.err);
  const bool wrong = std::ranges::any_of(
      findings, [](const config::Finding& finding) { return finding.severity == config::Severity::kError; });
  if (wrong) return kExitBadConfig;
  streams.out << options.file << ": no errors.\n";
  return kExitSuccess;
}

int credential(const Options& options, const config::Environment& environment, Streams streams) {
  const auto name = config::kUserNameRule.parse(options.credential_user);
  if (!name || name->size() > kCredentialNameBytesMax) {
    streams.err << "error: --user must be 1 to " << kCredentialNameBytesMax
                << " bytes without colons, control and other invisible characters.\n";
    return kExitBadConfig;
  }
  const auto config = config::load(file_of(options, environment), environment);
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  std::string secret;
  if (options.credential_realm.empty() || options.credential_realm == config->realm) {
    const auto& secrets = config->turn.shared_secrets;
    secret = secrets.empty() ? read_shared_secret(config->state_directory) : secrets.front();
  } else {
    const auto realm = std::ranges::find_if(
        config->realms, [&](const config::Realm& each) { return each.realm == options.credential_realm; });
    if (realm == config->realms.end() || realm->shared_secrets.empty()) {
      streams.err << "error: --realm must name a realm of the configuration that has shared_secrets.\n";
      return kExitBadConfig;
    }
    secret = realm->shared_secrets.front();
  }
  const std::chrono::seconds ttl = parse_lifetime(options.credential_ttl).value();
  const auto made = turn::make_time_limited_credential(secret, *name, read_clock().wall + ttl);
  if (options.credential_as_json) {
    const json object{{"username", made.username}, {"password", made.password}, {"ttl", ttl.count()}};
    streams.out << object.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  } else {
    streams.out << "username: " << made.username << "\npassword: " << made.password << '\n';
  }
  return kExitSuccess;
}

int token(const TokenCommand& command, const std::optional<std::filesystem::path>& file,
          const config::Environment& environment, Streams streams) {
  const auto config = config::load(file, environment);
  if (!config) {
    print(config.error(), streams.err);
    return kExitBadConfig;
  }
  return command.execute(*config, streams.out, streams.err);
}

int import_turnserver_conf(const Options& options, Streams streams) {
  const std::filesystem::path file = options.file;
  const auto text = config::read_file(file);
  if (!text) {
    print(text.error(), streams.err);
    return kExitBadConfig;
  }
  if (text->size() > config::Document::kBytesMax) {
    streams.err << "error: " << options.file << ": this file is larger than 1 MiB and can be no turnserver.conf.\n";
    return kExitBadConfig;
  }
  const config::TurnserverImport import = config::import_turnserver_conf(*text, file.filename().string());
  for (const config::ImportNote& note : import.notes) {
    streams.err << "note: " << options.file << (note.line == 0 ? "" : ":" + std::to_string(note.line)) << ": "
                << note.sentence << ".\n";
  }
  streams.out << import.json;
  return kExitSuccess;
}

std::string user_is_wrong(const std::string& user) {
  return user.find(':') == std::string::npos ? "must be NAME:PASSWORD" : "";
}

std::string address_is_wrong(const std::string& address) {
  return IpAddress::parse(address) ? "" : "must be an IP address, without a port and brackets";
}

std::string lifetime_is_wrong(const std::string& text) {
  return parse_lifetime(text) ? "" : "must be a number of seconds, or like 30m, 1h or 7d, up to ten years";
}

CLI::App& add_serve(CLI::App& app, Options& options) {
  CLI::App& serve = *app.add_subcommand("serve", "Serve; the options override the configuration file")->fallthrough();
  serve.add_option("--user", options.users, "A TURN user, NAME:PASSWORD; may be repeated")->check(user_is_wrong);
  serve.add_option("--realm", options.realm, "The realm of the TURN users");
  serve.add_option("--listen", options.listen, "The address of all listeners")
      ->check(address_is_wrong)
      ->default_val("::");
  const auto port = [&](const char* name, std::uint16_t& out, const char* description) {
    serve.add_option(name, out, description)->check(CLI::Range(1, 65535))->capture_default_str();
  };
  port("--port", options.ports.turn, "TURN over udp and tcp");
  port("--tls-port", options.ports.turn_tls, "TURN over tls");
  port("--web-port", options.ports.web, "The pages over http, and TURN over tcp");
  port("--web-tls-port", options.ports.web_tls, "The pages over https, and TURN over tls");
  return serve;
}

CLI::App& add_credential(CLI::App& app, Options& options) {
  CLI::App& credential =
      *app.add_subcommand("credential", "Print a time-limited TURN username and its password")->fallthrough();
  credential.add_option("--user", options.credential_user, "Whom it is for")->required();
  credential.add_option("--realm", options.credential_realm, "Another realm than the first one");
  credential.add_option("--ttl", options.credential_ttl, "How long it is valid: 90 (seconds), 30m, 1h, 7d")
      ->check(lifetime_is_wrong)
      ->capture_default_str();
  credential.add_flag("--json", options.credential_as_json, "Print one JSON object");
  return credential;
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

int execute(std::vector<std::string> arguments, const config::Environment& environment, std::ostream& out,
            std::ostream& err) try {
  Options options;
  const std::string version = std::string{"causeway "} + CAUSEWAY_VERSION;
  CLI::App app{"Causeway: WebRTC signaling, STUN and TURN in one daemon. Without a command it serves.", "causeway"};
  app.set_version_flag("--version", version);
  app.add_option("--config", options.file,
                 "The configuration file; by default causeway.json in $CONFIGURATION_DIRECTORY, /etc/causeway or "
                 "/usr/local/etc/causeway, where there is one");
  app.require_subcommand(0, 1);
  const CLI::App& serve_command = add_serve(app, options);
  CLI::App& check_command = *app.add_subcommand("check-config", "Check a configuration file and what it needs");
  check_command.add_option("FILE", options.file, "The configuration file")->required();
  const CLI::App& credential_command = add_credential(app, options);
  CLI::App& import_command = *app.add_subcommand(
      "import-turnserver-conf", "Print a configuration made from coturn's; what it cannot carry over goes to stderr");
  import_command.add_option("FILE", options.file, "coturn's turnserver.conf")->required();
  ProbeCommand probe_command{app};
  TokenCommand token_command{app};
  const CLI::App& version_command = *app.add_subcommand("version", "Print the version");
  try {
    std::ranges::reverse(arguments);  // as CLI11 wants them
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kExitSuccess : kExitBadConfig;
  }
  if (check_command.parsed()) return check_config(options, environment, {out, err});
  if (credential_command.parsed()) return credential(options, environment, {out, err});
  if (import_command.parsed()) return import_turnserver_conf(options, {out, err});
  if (token_command.parsed()) return token(token_command, file_of(options, environment), environment, {out, err});
  if (probe_command.parsed()) return probe_command.execute(out, err);
  if (version_command.parsed()) {
    out << version << '\n';
    return kExitSuccess;
  }
  return serve(options, serve_command, environment, {out, err});
} catch (const std::exception& error) {
  err << "error: " << error.what() << '\n';
  return kExitFailure;
}

}  // namespace causeway::app
