// SPDX-License-Identifier: Apache-2.0
#include "http/static_files.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace causeway::http {
namespace {

constexpr std::string_view kOctetStream = "application/octet-stream";
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kContentTypes{{
    {".css", "text/css; charset=utf-8"},
    {".gif", "image/gif"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".png", "image/png"},
    {".svg", "image/svg+xml; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".webm", "video/webm"},
    {".webmanifest", "application/manifest+json"},
    {".woff2", "font/woff2"},
}};

std::string_view content_type(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return kOctetStream;
  const auto found = std::find_if(kContentTypes.begin(), kContentTypes.end(),
                                  [&](const auto& type) { return type.first == path.substr(dot); });
  return found == kContentTypes.end() ? kOctetStream : found->second;
}

std::string hash_hex(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(content.data(), content.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string gzip(std::string_view content) {
  constexpr int kGzipWindowBits = 15 + 16;  // zlib.h: 16 more means a gzip header
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot compress (out of memory?)");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib cannot compress");
  return out;
}

std::runtime_error problem(const std::filesystem::path& root, const std::string& wrong) {
  return std::runtime_error("web.root " + root.string() + ": " + wrong);
}

std::string read_file(const std::filesystem::path& root, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw problem(root, file.string() + " cannot be read");
  return content;
}

bool is_below(const std::filesystem::path& root, const std::filesystem::path& file) {
  return std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
}

}  // namespace

StaticFiles::StaticFiles(std::span<const WebAsset> assets) {
  for (const WebAsset& asset : assets)
    add(std::string(asset.path), std::string(asset.content));
}

StaticFiles::StaticFiles(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path canonical_root = fs::canonical(root, error);
  if (error || !fs::is_directory(canonical_root)) throw problem(root, "is not a folder that can be read");
  std::size_t bytes = 0;
  for (auto at = fs::recursive_directory_iterator(canonical_root, error); !error && at != fs::end(at);
       at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    std::error_code not_there;  // a link that leads nowhere
    if (!at->is_regular_file(not_there)) continue;
    if (!is_below(canonical_root, fs::canonical(at->path()))) {
      throw problem(root, at->path().string() + " is a link that leads out of the folder; put the file itself there");
    }
    bytes += at->file_size();
    if (files_.size() >= kFilesMax || bytes > kBytesMax) {
      throw problem(root, "holds more than " + std::to_string(kFilesMax) + " files or " +
                              std::to_string(kBytesMax / 1024 / 1024) + " MiB, which are kept in memory");
    }
    add("/" + at->path().lexically_relative(canonical_root).generic_string(), read_file(root, at->path()));
  }
  if (error) throw problem(root, error.message());
  if (!find("/index.html")) throw problem(root, "has no index.html");
}

void StaticFiles::add(std::string path, std::string content) {
  StaticFile file;
  file.content_type = content_type(path);
  const std::string hash = hash_hex(content);
  file.etag = '"' + hash + '"';
  file.gzip_etag = '"' + hash + "-gzip\"";
  file.gzip = gzip(content);
  if (file.gzip.size() > content.size() / 10 * 9) file.gzip = {};
  file.content = std::move(content);
  files_.insert_or_assign(std::move(path), std::move(file));
}

const StaticFile* StaticFiles::find(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace causeway::http
