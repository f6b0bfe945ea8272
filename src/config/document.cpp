// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace causeway::config {
namespace {

using nlohmann::json;

// Lets the parser's callbacks know how far it has read.
class TrackedText {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedText(const char* at, const char** last_read) : at_(at), last_read_(last_read) {}
  reference operator*() const { return *at_; }
  TrackedText& operator++() {
    *last_read_ = at_++;
    return *this;
  }
  TrackedText operator++(int) {
    TrackedText before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TrackedText& a, const TrackedText& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** last_read_;
};

// Builds the tree from the parser's events and notes the line of each value.
class TreeBuilder : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(std::string_view text, std::string file, json& root, std::map<std::string, Origin, std::less<>>& origins,
              Findings& findings)
      : last_read(text.data()),
        counted_to_(text.data()),
        file_(std::move(file)),
        root_(root),
        origins_(origins),
        findings_(findings) {}

  const char* last_read;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // no JSON text has one
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    key_ = key;
    const std::string path = member_path(open_.back().path, key_);
    if (open_.back().value->contains(key_)) {
      report(path + " is set twice; it was set at " + origins_.find(path)->second.text +
             " before, so remove one of the two.");
    }
    origins_[path] = here();
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    std::string reason = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: REASON; last read: '…'; expected …".
    // What was read last may be a password, so it goes.
    for (const std::string_view lead : {"] ", ": "}) {
      if (const auto at = reason.find(lead); at != std::string::npos) reason.erase(0, at + lead.size());
    }
    reason.erase(std::min(reason.find("; last read"), reason.size()));
    report("this is not valid JSON: " + reason + ".");
    return false;
  }

 private:
  struct Open {
    json* value;
    std::string path;
  };

  Origin here() {
    line_ += static_cast<std::size_t>(std::count(counted_to_, last_read, '\n'));
    counted_to_ = last_read;
    return {file_ + ":" + std::to_string(line_), true};
  }

  void report(std::string sentence) { findings_.push_back({Severity::kError, here().text, std::move(sentence)}); }

  // The place of the next value in the tree, and its path.
  Open place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return {&root_, ""};
    }
    json& parent = *open_.back().value;
    if (parent.is_object()) {
      json& member = parent[key_] = std::move(value);
      return {&member, member_path(open_.back().path, key_)};
    }
    std::string path = element_path(open_.back().path, parent.size());
    origins_[path] = here();
    parent.push_back(std::move(value));
    return {&parent.back(), std::move(path)};
  }

  bool add(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (open_.size() == Document::kDepthMax) {
      report("this is nested more than " + std::to_string(Document::kDepthMax) +
             " levels deep, which no key of the configuration needs.");
      return false;
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const char* counted_to_;
  std::size_t line_ = 1;
  std::string file_;
  json& root_;
  std::map<std::string, Origin, std::less<>>& origins_;
  Findings& findings_;
  std::vector<Open> open_;
  std::string key_;
};

}  // namespace

std::string member_path(std::string_view object, std::string_view key) {
  std::string path{object};
  if (!path.empty()) path += '.';
  return path.append(key);
}

std::string element_path(std::string_view list, std::size_t index) {
  return std::string{list} + "[" + std::to_string(index) + "]";
}

bool Document::parse(std::string_view text, const std::filesystem::path& file, Findings& findings) {
  origins_[""] = {file.string(), true};
  if (text.size() > kBytesMax) {
    findings.push_back({Severity::kError, file.string(), "this file is larger than 1 MiB, which no configuration is."});
    return false;
  }
  TreeBuilder builder{text, file.string(), root_, origins_, findings};
  const TrackedText first{text.data(), &builder.last_read};
  const TrackedText last{text.data() + text.size(), &builder.last_read};
  return json::sax_parse(first, last, &builder, json::input_format_t::json, true, true);
}

void Document::set(const Setting& setting) {
  json* value = &root_;
  std::string path;
  for (const std::string& key : setting.keys) {
    if (!value->is_object()) return;
    path = member_path(path, key);
    if (!value->contains(key)) (*value)[key] = json::object();
    value = &(*value)[key];
  }
  *value = setting.value;
  const auto inside = [&](const auto& entry) {
    return entry.first.starts_with(path + ".") || entry.first.starts_with(path + "[");
  };
  std::erase_if(origins_, inside);
  origins_[path] = {setting.origin, false};
}

const Origin& Document::origin(std::string_view path) const {
  for (;;) {
    if (const auto found = origins_.find(path); found != origins_.end()) return found->second;
    const auto cut = path.find_last_of(".[");
    path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
}

}  // namespace causeway::config
