// SPDX-License-Identifier: Apache-2.0
// A parsed configuration that knows of every value where it came from: line of the file, environment, command line.
// A value is named by its path: "turn.relay.port_min", "listeners[2].port".
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/finding.hpp"

namespace causeway::config {

struct Origin {
  std::string text;
  bool in_file = false;  // relative paths in the file are relative to the file
};

// A value that is laid over the file: one environment variable or one option of the command line.
struct Setting {
  std::vector<std::string> keys;  // {"turn", "relay", "port_min"}
  nlohmann::json value;
  std::string origin;
};

std::string member_path(std::string_view object, std::string_view key);
std::string element_path(std::string_view list, std::size_t index);

class Document {
 public:
  static constexpr std::size_t kBytesMax = 1024 * 1024;
  static constexpr std::size_t kDepthMax = 8;

  // JSON with // and /* */ comments. Reports what is no JSON, nested too deeply, or set twice. False where the rest
  // of the text could not be read.
  bool parse(std::string_view text, const std::filesystem::path& file, Findings& findings);
  // Keeps what is there when one of the keys on the way names a value that is no object; its reader complains.
  void set(const Setting& setting);

  const nlohmann::json& root() const noexcept { return root_; }
  // Of the value itself or of the closest one around it.
  const Origin& origin(std::string_view path) const;

 private:
  nlohmann::json root_ = nlohmann::json::object();
  std::map<std::string, Origin, std::less<>> origins_{{"", {"configuration", false}}};
};

}  // namespace causeway::config
