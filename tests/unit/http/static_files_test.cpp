// SPDX-License-Identifier: Apache-2.0
#include "http/static_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <stdexcept>

#include "temporary_folder.hpp"

namespace causeway::http {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

void put(const fs::path& path, std::string_view content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string gunzip(std::string_view zipped) {
  std::string out(1'000'000, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  stream.avail_in = static_cast<uInt>(zipped.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string problem(const fs::path& root) {
  try {
    const StaticFiles files(root);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(StaticFiles, the_built_in_pages_are_there) {
  const StaticFiles files(web_assets());
  const StaticFile* index = files.find("/index.html");
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(index->content, HasSubstr("<!doctype html>"));
  EXPECT_EQ(gunzip(index->gzip), index->content);
  ASSERT_NE(files.find("/js/signaling.js"), nullptr);
  EXPECT_EQ(files.find("/js/signaling.js")->content_type, "text/javascript; charset=utf-8");
}

TEST(StaticFiles, etags_follow_the_content) {
  const WebAsset assets[] = {{"/a.txt", "one"}, {"/b.txt", "one"}, {"/c.txt", "two"}};
  const StaticFiles files(assets);
  EXPECT_EQ(files.find("/a.txt")->etag, files.find("/b.txt")->etag);
  EXPECT_NE(files.find("/a.txt")->etag, files.find("/c.txt")->etag);
  EXPECT_NE(files.find("/a.txt")->etag, files.find("/a.txt")->gzip_etag);
  EXPECT_EQ(files.find("/a.txt")->etag.front(), '"');
  EXPECT_EQ(files.find("/a.txt")->etag.back(), '"');
}

TEST(StaticFiles, what_does_not_get_smaller_is_not_compressed) {
  const WebAsset assets[] = {{"/small.txt", "abc"}, {"/empty.txt", ""}, {"/x.bin", "abc"}};
  const StaticFiles files(assets);
  EXPECT_EQ(files.find("/small.txt")->gzip, "");
  EXPECT_EQ(files.find("/empty.txt")->gzip, "");
  EXPECT_EQ(files.find("/x.bin")->content_type, "application/octet-stream");
}

TEST(StaticFiles, a_folder_replaces_the_built_in_pages) {
  const TemporaryFolder folder;
  put(folder.path() / "index.html", "mine");
  put(folder.path() / "js/deep/a.js", "1");
  put(folder.path() / ".git/config", "secret");
  put(folder.path() / ".env", "secret");
  const StaticFiles files(folder.path());
  EXPECT_EQ(files.find("/index.html")->content, "mine");
  EXPECT_EQ(files.find("/js/deep/a.js")->content, "1");
  EXPECT_EQ(files.find("/.git/config"), nullptr);
  EXPECT_EQ(files.find("/.env"), nullptr);
  EXPECT_EQ(files.find("/js"), nullptr);
  EXPECT_EQ(files.find("/js/../index.html"), nullptr);
  EXPECT_EQ(files.find("/test.html"), nullptr);
}

TEST(StaticFiles, links_stay_inside_of_the_folder) {
  const TemporaryFolder folder;
  const fs::path root = folder.path() / "web";
  put(root / "index.html", "mine");
  put(folder.path() / "web-secrets/key", "secret");
  fs::create_symlink("index.html", root / "home.html");
  EXPECT_EQ(StaticFiles(root).find("/home.html")->content, "mine");
  fs::create_symlink("../web-secrets/key", root / "leak.txt");
  EXPECT_THAT(problem(root), HasSubstr("leak.txt is a link that leads out of the folder"));
  fs::remove(root / "leak.txt");
  fs::create_directory_symlink("../web-secrets", root / "secrets");
  EXPECT_EQ(StaticFiles(root).find("/secrets/key"), nullptr);
}

TEST(StaticFiles, a_bad_folder_is_a_sentence) {
  const TemporaryFolder folder;
  EXPECT_THAT(problem(folder.path() / "none"), HasSubstr("is not a folder that can be read"));
  EXPECT_THAT(problem(folder.path()), HasSubstr("has no index.html"));
  put(folder.path() / "file", "");
  EXPECT_THAT(problem(folder.path() / "file"), HasSubstr("is not a folder"));
  fs::create_symlink("nowhere", folder.path() / "dangling.html");
  put(folder.path() / "index.html", "x");
  EXPECT_EQ(problem(folder.path()), "");
}

}  // namespace
}  // namespace causeway::http
