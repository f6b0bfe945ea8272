// SPDX-License-Identifier: Apache-2.0
// The folder in which the daemon keeps what must survive a restart. What is missing is made on the first start, with
// mode 0600 and all or nothing; what is there is never replaced, but for a self-signed certificate at its end.
// Two daemons that start in one folder at once make one set between them. Where nothing is missing, nothing is written:
// the folder may be read-only.
//
// A secret that others may read is refused: mode 0600 for a file of this user, 0640 for one of root, who lets this user
// read it by its group.
//
//   shared_secret     base64url text of 32 random octets; the text itself is the secret of time-limited credentials
//   nonce_key         32 octets
//   admin_token       base64url text of 32 random octets
//   private_key.pem   certificate.pem    the self-signed pair, where no other is configured
//   lock              empty, held while something is made
//
// Every error is a std::runtime_error with a sentence that names the file.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "causeway/base/time.hpp"

namespace causeway::app {

struct KeptSecrets {
  std::string shared_secret;
  std::array<std::uint8_t, 32> nonce_key{};
  std::string admin_token;
};

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path private_key;
  std::string renewal_problem{};  // why a certificate that is still valid could not be renewed; empty: it is not due
};

// Whose the folder and the files shall be that a daemon makes as root.
struct FileOwner {
  uid_t user;
  gid_t group;
};

class StateDirectory {
 public:
  // Makes the folder with mode 0700, and those above it that are missing.
  explicit StateDirectory(std::filesystem::path path, std::optional<FileOwner> owner = std::nullopt);

  KeptSecrets secrets() const;
  // Made when there is none; made anew, with the same key, when it has expired or will within 30 days.
  CertificateFiles self_signed_certificate(WallTime now) const;

  std::filesystem::path admin_token_file() const { return path_ / "admin_token"; }

 private:
  enum class CertificateState { kMissing, kGood, kDue, kExpired };
  CertificateState judge(const CertificateFiles& files, WallTime now) const;
  void make_certificate(const CertificateFiles& files, WallTime now) const;
  std::optional<KeptSecrets> read_secrets() const;  // nullopt: one is missing

  std::filesystem::path path_;
  std::optional<FileOwner> owner_;
};

// Whether the secrets are all there. For check-config: makes nothing.
bool has_all_secrets(const std::filesystem::path& state_directory);

// For commands that run beside a daemon: makes nothing.
std::string read_shared_secret(const std::filesystem::path& state_directory);

}  // namespace causeway::app
