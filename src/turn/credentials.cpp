// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/credentials.hpp"

#include <charconv>

#include "causeway/base/base64.hpp"

namespace causeway::turn {
namespace {

std::string password_of(std::string_view secret, std::string_view username) {
  return base64_encode(stun::hmac_sha1(as_bytes(secret), {as_bytes(username)}));
}

struct TimeLimitedUsername {
  WallTime expires_at;
  std::string_view user;
};

// EXPIRY:USER, or EXPIRY alone. Eleven digits reach the year 5138.
std::optional<TimeLimitedUsername> parse_time_limited(std::string_view username) {
  const std::string_view digits = username.substr(0, username.find(':'));
  if (digits.empty() || digits.size() > 11) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc{} || end != digits.data() + digits.size() || seconds < 0) return std::nullopt;
  const bool has_user = digits.size() + 1 < username.size();
  return TimeLimitedUsername{WallTime{std::chrono::seconds{seconds}},
                             has_user ? username.substr(digits.size() + 1) : username};
}

}  // namespace

TimeLimitedCredential make_time_limited_credential(std::string_view secret, std::string_view user,
                                                   WallTime expires_at) {
  std::string username = std::to_string(expires_at.time_since_epoch().count());
  username.append(":").append(user);
  std::string password = password_of(secret, username);
  return {std::move(username), std::move(password)};
}

Credentials::Credentials(std::string realm, const std::map<std::string, std::string>& users,
                         std::vector<std::string> shared_secrets)
    : realm_(std::move(realm)), shared_secrets_(std::move(shared_secrets)) {
  for (const auto& [name, password] : users)
    users_.emplace(name, stun::long_term_key_md5(name, realm_, password));
}

std::vector<Credentials::Candidate> Credentials::find(std::string_view username, WallTime now) const {
  std::vector<Candidate> candidates;
  if (const auto found = users_.find(username); found != users_.end()) {
    candidates.push_back({found->second, found->first, std::nullopt});
  }
  const auto limited = parse_time_limited(username);
  if (!limited || limited->expires_at <= now) return candidates;
  for (const std::string& secret : shared_secrets_) {
    candidates.push_back({stun::long_term_key_md5(username, realm_, password_of(secret, username)),
                          std::string{limited->user}, limited->expires_at});
  }
  return candidates;
}

}  // namespace causeway::turn
