// SPDX-License-Identifier: Apache-2.0
// Writes a JSON object with // comments, one key or element a line, as people write a configuration file.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace causeway::config {

class CommentedJson {
 public:
  // One line each, in front of what comes next. A line break in `text` would end the comment, so there must be none.
  void comment(std::string_view text);
  void member(std::string_view key, const nlohmann::ordered_json& value);
  void element(const nlohmann::ordered_json& value);

  void open_object(std::string_view key) { open(key, '{'); }
  void open_list(std::string_view key) { open(key, '['); }
  void close_object() { close('}'); }
  void close_list() { close(']'); }

  // The whole text; everything that was opened is closed.
  std::string finish() const;

 private:
  void open(std::string_view key, char bracket);
  void close(char bracket);
  void begin_item();
  void add_line(std::string_view text);

  std::string text_ = "{";
  std::string comments_;  // that wait for their item, so that the comma behind the item before stays on its line
  std::size_t depth_ = 1;
  bool first_ = true;  // the object or list that is open has no item yet
};

}  // namespace causeway::config
