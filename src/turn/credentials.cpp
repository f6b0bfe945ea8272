// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/credentials.hpp"

#include <algorithm>
#include <charconv>

#include "causeway/base/base64.hpp"

namespace causeway::turn {

using stun::PasswordAlgorithm;

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
                         std::vector<std::string> shared_secrets, std::shared_ptr<const UserGate> gate)
    : realm_(std::move(realm)), shared_secrets_(std::move(shared_secrets)), gate_(std::move(gate)) {
  for (const auto& [name, password] : users) {
    const User user{key_of(name, password, PasswordAlgorithm::kMd5),
                    key_of(name, password, PasswordAlgorithm::kSha256)};
    const auto [entry, added] = users_.emplace(name, user);
    users_by_hash_.emplace(stun::userhash(name, realm_), entry->first);
  }
}

stun::LongTermKey Credentials::key_of(std::string_view username, std::string_view password,
                                      PasswordAlgorithm algorithm) const {
  return algorithm == PasswordAlgorithm::kSha256 ? stun::long_term_key_sha256(username, realm_, password)
                                                 : stun::long_term_key_md5(username, realm_, password);
}

std::vector<Credentials::Candidate> Credentials::find(std::string_view username, PasswordAlgorithm algorithm,
                                                      WallTime now) const {
  std::vector<Candidate> candidates;
  if (const auto found = users_.find(username); found != users_.end()) {
    const User& user = found->second;
    const auto& key = algorithm == PasswordAlgorithm::kSha256 ? user.sha256 : user.md5;
    candidates.push_back({key, found->first, std::nullopt});
  }
  const auto limited = parse_time_limited(username);
  if (!limited || limited->expires_at <= now) return candidates;
  for (const std::string& secret : shared_secrets_) {
    candidates.push_back(
        {key_of(username, password_of(secret, username), algorithm), std::string{limited->user}, limited->expires_at});
  }
  return candidates;
}

bool Credentials::admits(const Candidate& candidate) const {
  return !candidate.expires_at || !gate_ || gate_->admits(candidate.user);
}

bool Credentials::accepts(std::string_view username, const stun::LongTermKey& key, WallTime now) const {
  for (const auto algorithm : {PasswordAlgorithm::kMd5, PasswordAlgorithm::kSha256}) {
    for (const Candidate& candidate : find(username, algorithm, now)) {
      if (equal_constant_time(candidate.key.octets(), key.octets())) return admits(candidate);
    }
  }
  return false;
}

std::optional<std::string_view> Credentials::username_of(Bytes userhash) const {
  stun::Sha256Digest digest{};
  if (userhash.size() != digest.size()) return std::nullopt;
  std::copy(userhash.begin(), userhash.end(), digest.begin());
  const auto found = users_by_hash_.find(digest);
  if (found == users_by_hash_.end()) return std::nullopt;
  return found->second;
}

}  // namespace causeway::turn
