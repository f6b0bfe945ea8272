// SPDX-License-Identifier: Apache-2.0
// The folder in which the daemon keeps what must survive a restart. What is missing is made on the first start, with
// mode 0600 and all or nothing; what is there is never replaced, but for a self-signed certificate at its end.
// Two daemons that start in one folder at once make one set between them.
//
//   shared_secret     base64url text of 32 random octets; the text itself is the secret of time-limited credentials
//   nonce_key         32 octets
//   admin_token       base64url text of 32 random octets
//   private_key.pem   certificate.pem    the self-signed pair, where no other is configured
//   lock              empty, held while something is made
//
// Every error is a std::runtime_error with a sentence that names the file.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
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
};

class StateDirectory {
 public:
  // Makes the folder with mode 0700, and those above it that are missing.
  explicit StateDirectory(std::filesystem::path path);

  KeptSecrets secrets() const;
  // Made when there is none; made anew, with the same key, when it has expired or will within 30 days.
  CertificateFiles self_signed_certificate(WallTime now) const;

  std::filesystem::path admin_token_file() const { return path_ / "admin_token"; }

 private:
  std::filesystem::path path_;
};

// For commands that run beside a daemon: makes nothing.
std::string read_shared_secret(const std::filesystem::path& state_directory);

}  // namespace causeway::app
