// SPDX-License-Identifier: Apache-2.0
#include "app/token_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/access_tokens.hpp"
#include "app/announcement.hpp"
#include "app/app.hpp"
#include "app/commands.hpp"
#include "causeway/signaling/room.hpp"
#include "net/system_clock.hpp"

namespace causeway::app {
namespace {

using nlohmann::json;

std::string name_is_wrong(const std::string& text) {
  return signaling::is_valid_name(text) ? "" : "must be 1 to 128 bytes of UTF-8 without control characters";
}

std::string lifetime_is_wrong(const std::string& text) {
  return parse_lifetime(text) ? "" : "must be a number of seconds, or like 30m, 1h or 7d, up to ten years";
}

std::string url_is_wrong(const std::string& text) {
  return text.starts_with("https://") || text.starts_with("http://") ? "" : "must begin with https:// or http://";
}

// RFC 3986 §2.1.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view{"-._~"}.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out.append({'%', kDigits[octet >> 4U], kDigits[octet & 0xFU]});
    }
  }
  return out;
}

}  // namespace

TokenCommand::TokenCommand(CLI::App& app)
    : command_(app.add_subcommand("token", "Make an access token for a room, and a link to invite with")) {
  command_->fallthrough();
  command_->add_option("--room", room_, "The room; TEAM-* for all whose names begin with TEAM-")
      ->required()
      ->check(name_is_wrong);
  command_->add_option("--role", role_, "member, moderator or listener")
      ->check(CLI::IsMember({"member", "moderator", "listener"}))
      ->capture_default_str();
  command_->add_option("--name", name_, "The name that the others see, whatever the client asks for")
      ->check(name_is_wrong);
  command_->add_option("--user", user_, "Your application's id of the bearer, which the others see too")
      ->check(name_is_wrong);
  command_->add_option("--ttl", ttl_, "How long it is valid: 90 (seconds), 30m, 1h, 7d")
      ->check(lifetime_is_wrong)
      ->capture_default_str();
  command_->add_option("--members-max", members_max_, "The bearer enters only a room with fewer members")
      ->check(CLI::Range(1, 1000));
  command_->add_option("--url", url_, "Where the pages are, for the link: https://call.example.org")
      ->check(url_is_wrong);
  command_->add_flag("--json", json_, "Print one JSON object");
}

bool TokenCommand::parsed() const {
  return command_->parsed();
}

int TokenCommand::execute(const config::Config& config, std::ostream& out, std::ostream& err) const {
  if (!config.signaling.tokens.has_keys()) {
    err << "error: signaling.tokens has no keys, so rooms are open and nobody needs a token.\n";
    return kExitBadConfig;
  }
  const std::vector<TokenKey> keys = load_token_keys(config.signaling.tokens);
  const auto key = std::ranges::find_if(keys, &TokenKey::can_sign);
  if (key == keys.end()) {
    err << "error: no key of signaling.tokens can sign: all of them are public keys. Make the token where the private "
           "key is.\n";
    return kExitBadConfig;
  }
  signaling::AccessClaims claims{user_, name_, room_, role_named(role_).value(), {}};
  if (members_max_ != 0) claims.members_max = members_max_;
  const std::chrono::seconds ttl = parse_lifetime(ttl_).value();
  const std::string token = make_access_token(*key, claims, config.signaling.tokens.audience, read_clock().wall + ttl);

  // Behind the '#', where no server and no log sees it.
  std::string base = url_.empty() ? public_url(config) : url_;
  while (base.ends_with('/'))
    base.pop_back();
  const bool has_link = !base.empty() && !room_.ends_with('*');
  const std::string link = has_link ? base + "/r/" + percent_encoded(room_) + "#token=" + token : std::string{};
  if (json_) {
    json object{{"token", token}, {"ttl", ttl.count()}};
    if (has_link) object["link"] = link;
    out << object.dump() << '\n';
    return kExitSuccess;
  }
  out << "token: " << token << '\n';
  if (has_link) out << "link: " << link << '\n';
  if (base.empty()) err << "note: for a link, give --url or set turn.public_host.\n";
  return kExitSuccess;
}

}  // namespace causeway::app
