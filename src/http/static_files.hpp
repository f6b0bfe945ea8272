// SPDX-License-Identifier: Apache-2.0
// The pages: every file is read, hashed and compressed once at start and never again, so a request touches no file
// system and cannot leave the folder. Restart the daemon to see changed files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "http/web_assets.hpp"

namespace causeway::http {

struct StaticFile {
  std::string_view content_type;
  std::string etag;  // strong and quoted: "\"5b0c…\""; the compressed form has gzip_etag
  std::string gzip_etag;
  std::string content;
  std::string gzip;  // empty where compression does not pay
};

class StaticFiles {
 public:
  static constexpr std::size_t kFilesMax = 4096;
  static constexpr std::size_t kBytesMax = 64 * 1024 * 1024;

  explicit StaticFiles(std::span<const WebAsset> assets);

  // Regular files below `root`. A symbolic link that leads out of it, or more than the limits, is an error: throws
  // std::runtime_error with a sentence. Names that begin with a dot are left out.
  explicit StaticFiles(const std::filesystem::path& root);

  // By the path from the root, "/js/signaling.js"; nullptr when there is none.
  const StaticFile* find(std::string_view path) const;

 private:
  void add(std::string path, std::string content);

  std::map<std::string, StaticFile, std::less<>> files_;
};

}  // namespace causeway::http
