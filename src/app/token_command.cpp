// SPDX-License-Identifier: Apache-2.0
#include "app/token_command.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/access_tokens.hpp"
#include "app/announcement.hpp"
#include "app/app.hpp"
#include "app/commands.hpp"
#include "net/system_clock.hpp"

namespace causeway::app {
namespace {

using nlohmann::json;

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

int token(const TokenArguments& arguments, const config::Config& config, std::ostream& out, std::ostream& err) {
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
  signaling::AccessClaims claims{
      arguments.user, arguments.name, arguments.room, role_named(arguments.role).value(), {}};
  if (arguments.members_max != 0) claims.members_max = arguments.members_max;
  const std::chrono::seconds ttl = parse_lifetime(arguments.ttl).value();
  const std::string made = make_access_token(*key, claims, config.signaling.tokens.audience, read_clock().wall + ttl);

  // Behind the '#', where no server and no log sees it.
  std::string base = arguments.url.empty() ? public_url(config) : arguments.url;
  while (base.ends_with('/'))
    base.pop_back();
  const bool has_link = !base.empty() && !arguments.room.ends_with('*');
  const std::string link = has_link ? base + "/r/" + percent_encoded(arguments.room) + "#token=" + made : std::string{};
  if (arguments.json) {
    json object{{"token", made}, {"ttl", ttl.count()}};
    if (has_link) object["link"] = link;
    out << object.dump() << '\n';
    return kExitSuccess;
  }
  out << "token: " << made << '\n';
  if (has_link) out << "link: " << link << '\n';
  if (base.empty()) err << "note: for a link, give --url or set turn.public_host.\n";
  return kExitSuccess;
}

}  // namespace causeway::app
