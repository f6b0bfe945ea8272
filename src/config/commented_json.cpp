// SPDX-License-Identifier: Apache-2.0
#include "config/commented_json.hpp"

namespace causeway::config {

void CommentedJson::comment(std::string_view text) {
  comments_ += "\n" + std::string(2 * depth_, ' ') + "// " + std::string{text};
}

void CommentedJson::member(std::string_view key, const nlohmann::ordered_json& value) {
  begin_item();
  add_line(nlohmann::ordered_json(key).dump() + ": " + value.dump());
}

void CommentedJson::element(const nlohmann::ordered_json& value) {
  begin_item();
  add_line(value.dump());
}

std::string CommentedJson::finish() const {
  return text_ + comments_ + "\n}\n";
}

void CommentedJson::open(std::string_view key, char bracket) {
  begin_item();
  add_line(nlohmann::ordered_json(key).dump() + ": " + bracket);
  ++depth_;
  first_ = true;
}

void CommentedJson::close(char bracket) {
  text_ += comments_;
  comments_.clear();
  --depth_;
  add_line(std::string_view{&bracket, 1});
  first_ = false;
}

void CommentedJson::begin_item() {
  if (!first_) text_ += ',';
  text_ += comments_;
  comments_.clear();
  first_ = false;
}

void CommentedJson::add_line(std::string_view text) {
  text_ += "\n" + std::string(2 * depth_, ' ') + std::string{text};
}

}  // namespace causeway::config
