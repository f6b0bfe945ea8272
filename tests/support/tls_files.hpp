// SPDX-License-Identifier: Apache-2.0
// A self-signed certificate for localhost and its key, in files.
#pragma once

#include <fstream>
#include <string>

#include "app/self_signed_certificate.hpp"
#include "net/system_clock.hpp"
#include "temporary_folder.hpp"

namespace causeway {

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

class TlsFiles {
 public:
  explicit TlsFiles(WallTime made_at = read_clock().wall) {
    const std::string key = app::make_private_key_pem();
    write_file(private_key(), key);
    write_file(certificate(), app::make_certificate_pem(key, {{"localhost"}, {}}, made_at));
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path certificate() const { return folder() / "certificate.pem"; }
  std::filesystem::path private_key() const { return folder() / "private_key.pem"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace causeway
