// SPDX-License-Identifier: Apache-2.0
// Reads the members of one JSON object into plain values. Each call names one key, and the calls together are the
// list of keys there are: whatever else the object holds is reported. A bad value is reported and leaves the default.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/finding.hpp"

namespace causeway::config {

// What one pass over a document collects.
struct Reading {
  const Document& document;
  Findings findings{};
  std::set<std::string> known_keys{};                                // "listeners[].port"
  std::vector<std::string> unknown_keys{};                           // "listeners[2].prot"
  void fail(const std::string& path, const std::string& predicate);  // the sentence is "PATH PREDICATE."
};

// As it may stand in a sentence: escaped as in JSON, and shortened.
std::string in_quotes(std::string_view value);
std::string_view type_of(const nlohmann::json& value);

// How a string becomes a T, and what is allowed.
template <class T>
struct TextRule {
  std::optional<T> (*parse)(std::string_view);
  std::string_view expected;  // "an IP address": completes "must be"
  bool secret = false;        // never shown
};

class ObjectReader {
 public:
  // Reports that `value` is no object, or lets `read` read it and then reports the keys that `read` did not ask for.
  template <std::invocable<ObjectReader&> Read>
  static void read(Reading& reading, const nlohmann::json& value, std::string path, Read&& read) {
    ObjectReader reader{reading, value, std::move(path)};
    if (!reader.is_object()) return;
    read(reader);
    reader.report_unknown_keys();
  }

  template <std::invocable<ObjectReader&> Read>
  void section(std::string_view key, Read&& read_section) {
    static const nlohmann::json empty = nlohmann::json::object();
    const nlohmann::json* value = find(key);
    read(reading_, value == nullptr ? empty : *value, path_of(key), read_section);
  }

  void flag(std::string_view key, bool& out);
  void seconds(std::string_view key, std::chrono::seconds& out, std::uint64_t min, std::uint64_t max);
  void microseconds(std::string_view key, std::chrono::microseconds& out, std::uint64_t min, std::uint64_t max);
  // Relative to the file that says it, or to the working directory where the environment does. null: none.
  void file(std::string_view key, std::optional<std::filesystem::path>& out);

  template <std::unsigned_integral T>
  void number(std::string_view key, T& out, std::uint64_t min, std::uint64_t max) {
    if (const auto value = whole_number(key, min, max)) out = static_cast<T>(*value);
  }

  template <class T>
  void text(std::string_view key, T& out, const TextRule<T>& rule) {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return;
    if (auto parsed = parse(*value, path_of(key), rule)) out = *std::move(parsed);
  }

  // null: none.
  template <class T>
  void text(std::string_view key, std::optional<T>& out, const TextRule<T>& rule) {
    const nlohmann::json* value = find(key);
    if (value == nullptr || value->is_null()) return;
    if (auto parsed = parse(*value, path_of(key), rule)) out = std::move(parsed);
  }

  template <class T>
  void choice(std::string_view key, T& out, std::initializer_list<std::pair<std::string_view, T>> choices) {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return;
    std::string expected;
    for (const auto& [name, meaning] : choices) {
      if (value->is_string() && value->template get_ref<const std::string&>() == name) {
        out = meaning;
        return;
      }
      expected += (expected.empty() ? "" : ", ") + in_quotes(name);
    }
    fail_expected(path_of(key), "one of " + expected, *value, false);
  }

  // Strings, at most `count_max`, each in a form of its own.
  template <class T>
  void list(std::string_view key, std::vector<T>& out, std::size_t count_max, const TextRule<T>& rule) {
    const nlohmann::json* values = list_of(key, count_max);
    if (values == nullptr) return;
    out.clear();
    for (std::size_t i = 0; i < values->size(); ++i) {
      if (auto parsed = parse((*values)[i], element_path(path_of(key), i), rule)) out.push_back(*std::move(parsed));
    }
  }

  // The list under `key`; nullptr where there is none, or none that may be read.
  const nlohmann::json* list_of(std::string_view key, std::size_t count_max);
  // The value under `key`, which is a known one from now on; nullptr where it is absent.
  const nlohmann::json* find(std::string_view key);
  // The same where it has to be there.
  void require(std::string_view key);

  const std::string& path() const noexcept { return path_; }
  std::string path_of(std::string_view key) const { return member_path(path_, key); }
  Reading& reading() noexcept { return reading_; }
  void fail(std::string_view key, const std::string& predicate) { reading_.fail(path_of(key), predicate); }

 private:
  ObjectReader(Reading& reading, const nlohmann::json& value, std::string path)
      : reading_(reading), value_(value), path_(std::move(path)) {}

  bool is_object();
  void report_unknown_keys();
  std::optional<std::uint64_t> whole_number(std::string_view key, std::uint64_t min, std::uint64_t max);
  void fail_expected(const std::string& path, std::string_view expected, const nlohmann::json& value, bool secret);

  template <class T>
  std::optional<T> parse(const nlohmann::json& value, const std::string& path, const TextRule<T>& rule) {
    std::optional<T> parsed;
    if (value.is_string()) parsed = rule.parse(value.get_ref<const std::string&>());
    if (!parsed) fail_expected(path, rule.expected, value, rule.secret);
    return parsed;
  }

  Reading& reading_;
  const nlohmann::json& value_;
  std::string path_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace causeway::config
