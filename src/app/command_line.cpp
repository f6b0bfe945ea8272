// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "app/commands.hpp"
#include "causeway/signaling/room.hpp"

namespace causeway::app {
namespace {

std::string user_is_wrong(const std::string& user) {
  return user.find(':') == std::string::npos ? "must be NAME:PASSWORD" : "";
}

std::string address_is_wrong(const std::string& address) {
  return IpAddress::parse(address) ? "" : "must be an IP address, without a port and brackets";
}

std::string lifetime_is_wrong(const std::string& text) {
  return parse_lifetime(text) ? "" : "must be a number of seconds, or like 30m, 1h or 7d, up to ten years";
}

std::string name_is_wrong(const std::string& text) {
  return signaling::is_valid_name(text) ? "" : "must be 1 to 128 bytes of UTF-8 without control characters";
}

std::string url_is_wrong(const std::string& text) {
  return text.starts_with("https://") || text.starts_with("http://") ? "" : "must begin with https:// or http://";
}

CLI::App& add_serve(CLI::App& app, ServeArguments& arguments) {
  CLI::App& serve = *app.add_subcommand("serve", "Serve; the options override the configuration file")->fallthrough();
  serve.add_option("--user", arguments.users, "A TURN user, NAME:PASSWORD; may be repeated")->check(user_is_wrong);
  serve.add_option("--realm", arguments.realm, "The realm of the TURN users");
  serve.add_option("--listen", arguments.listen, "The address of all listeners")
      ->check(address_is_wrong)
      ->default_val("::");
  const auto port = [&](const char* name, std::uint16_t& out, const char* description) {
    serve.add_option(name, out, description)->check(CLI::Range(1, 65535))->capture_default_str();
  };
  port("--port", arguments.ports.turn, "TURN over udp and tcp");
  port("--tls-port", arguments.ports.turn_tls, "TURN over tls");
  port("--web-port", arguments.ports.web, "The pages over http, and TURN over tcp");
  port("--web-tls-port", arguments.ports.web_tls, "The pages over https, and TURN over tls");
  return serve;
}

bool gives_listeners(const CLI::App& serve) {
  const auto about_listeners = {"--listen", "--port", "--tls-port", "--web-port", "--web-tls-port"};
  return std::ranges::any_of(about_listeners, [&](const char* option) { return serve.count(option) > 0; });
}

CLI::App& add_credential(CLI::App& app, CredentialArguments& arguments) {
  CLI::App& credential =
      *app.add_subcommand("credential", "Print a time-limited TURN username and its password")->fallthrough();
  credential.add_option("--user", arguments.user, "Whom it is for")->required();
  credential.add_option("--realm", arguments.realm, "Another realm than the first one");
  credential.add_option("--ttl", arguments.ttl, "How long it is valid: 90 (seconds), 30m, 1h, 7d")
      ->check(lifetime_is_wrong)
      ->capture_default_str();
  credential.add_flag("--json", arguments.json, "Print one JSON object");
  return credential;
}

CLI::App& add_probe(CLI::App& app, ProbeArguments& arguments) {
  CLI::App& probe = *app.add_subcommand("probe", "Try a STUN or TURN server step by step and say what happened");
  probe.add_option("URI", arguments.uri, "Like turn:turn.example.org:3478?transport=tcp; stun, stuns, turn or turns")
      ->required();
  probe.add_option("--user", arguments.user, "The TURN user");
  probe.add_option("--password", arguments.password, "The user's password");
  probe.add_option("--secret", arguments.secret,
                   "A shared secret of the server, to make a time-limited credential from");
  probe.add_option("--peer", arguments.peer,
                   "ADDRESS:PORT that sends back what it gets; otherwise a second allocation");
  probe.add_option("--timeout", arguments.timeout_seconds, "Seconds for each step")
      ->check(CLI::Range(1, 120))
      ->capture_default_str();
  probe.add_option("--ca", arguments.authorities, "PEM file of the authorities to trust, instead of the system's");
  probe.add_flag("--insecure", arguments.insecure, "Accept any certificate");
  probe.add_flag("--json", arguments.json, "Print one JSON object");
  return probe;
}

CLI::App& add_token(CLI::App& app, TokenArguments& arguments) {
  CLI::App& token =
      *app.add_subcommand("token", "Make an access token for a room, and a link to invite with")->fallthrough();
  token.add_option("--room", arguments.room, "The room; TEAM-* for all whose names begin with TEAM-")
      ->required()
      ->check(name_is_wrong);
  token.add_option("--role", arguments.role, "member, moderator or listener")
      ->check(CLI::IsMember({"member", "moderator", "listener"}))
      ->capture_default_str();
  token.add_option("--name", arguments.name, "The name that the others see, whatever the client asks for")
      ->check(name_is_wrong);
  token.add_option("--user", arguments.user, "Your application's id of the bearer, which the others see too")
      ->check(name_is_wrong);
  token.add_option("--ttl", arguments.ttl, "How long it is valid: 90 (seconds), 30m, 1h, 7d")
      ->check(lifetime_is_wrong)
      ->capture_default_str();
  token.add_option("--members-max", arguments.members_max, "The bearer enters only a room with fewer members")
      ->check(CLI::Range(1, 1000));
  token.add_option("--url", arguments.url, "Where the pages are, for the link: https://call.example.org")
      ->check(url_is_wrong);
  token.add_flag("--json", arguments.json, "Print one JSON object");
  return token;
}

}  // namespace

Result<CommandLine, int> parse_command_line(std::vector<std::string> arguments, std::ostream& out, std::ostream& err) {
  CommandLine line;
  CLI::App app{"Causeway: WebRTC signaling, STUN and TURN in one daemon. Without a command it serves.", "causeway"};
  app.set_version_flag("--version", version_text());
  app.add_option("--config", line.file,
                 "The configuration file; by default causeway.json in $CONFIGURATION_DIRECTORY, /etc/causeway or "
                 "/usr/local/etc/causeway, where there is one");
  app.require_subcommand(0, 1);
  const CLI::App& serve = add_serve(app, line.serve);
  CLI::App& check = *app.add_subcommand("check-config", "Check a configuration file and what it needs");
  check.add_option("FILE", line.file, "The configuration file")->required();
  const CLI::App& credential = add_credential(app, line.credential);
  CLI::App& import = *app.add_subcommand(
      "import-turnserver-conf", "Print a configuration made from coturn's; what it cannot carry over goes to stderr");
  import.add_option("FILE", line.file, "coturn's turnserver.conf")->required();
  const CLI::App& probe = add_probe(app, line.probe);
  const CLI::App& token = add_token(app, line.token);
  const CLI::App& version = *app.add_subcommand("version", "Print the version");
  try {
    std::ranges::reverse(arguments);  // as CLI11 wants them
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kExitSuccess : kExitBadConfig;
  }
  line.serve.listeners = gives_listeners(serve);
  const std::pair<const CLI::App*, Command> commands[] = {
      {&check, Command::kCheckConfig}, {&credential, Command::kCredential}, {&import, Command::kImportTurnserverConf},
      {&probe, Command::kProbe},       {&token, Command::kToken},           {&version, Command::kVersion},
  };
  for (const auto& [parsed, command] : commands) {
    if (parsed->parsed()) line.command = command;
  }
  return line;
}

}  // namespace causeway::app
