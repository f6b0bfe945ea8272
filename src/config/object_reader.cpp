// SPDX-License-Identifier: Apache-2.0
#include "config/object_reader.hpp"

namespace causeway::config {
namespace {

using nlohmann::json;

constexpr std::size_t kShownBytesMax = 60;

// "listeners[2].port" -> "listeners[].port"
std::string without_indices(std::string_view path) {
  std::string result;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) result += c;
    if (c == '[') inside = true;
  }
  return result;
}

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= kShownBytesMax) return text;
  std::size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // never half of a character
  return text.substr(0, end) + "…";
}

}  // namespace

void Reading::fail(const std::string& path, const std::string& predicate) {
  findings.push_back({Severity::kError, document.origin(path).text,
                      (path.empty() ? std::string{"the configuration"} : path) + " " + predicate + "."});
}

std::string in_quotes(std::string_view value) {
  return shown(json(value));
}

std::string_view type_of(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return "a truth value";
    default:
      return "a number";
  }
}

bool ObjectReader::is_object() {
  if (value_.is_object()) return true;
  reading_.fail(path_, "must be an object in braces, but is " + std::string{type_of(value_)});
  return false;
}

void ObjectReader::report_unknown_keys() {
  for (const auto& [key, value] : value_.items()) {
    if (!asked_.contains(key)) reading_.unknown_keys.push_back(path_of(key));
  }
}

const json* ObjectReader::find(std::string_view key) {
  asked_.emplace(key);
  reading_.known_keys.insert(without_indices(path_of(key)));
  const auto found = value_.find(key);
  return found == value_.end() ? nullptr : &*found;
}

void ObjectReader::require(std::string_view key) {
  if (find(key) == nullptr) reading_.fail(path_, "needs the key " + in_quotes(key));
}

void ObjectReader::fail_expected(const std::string& path, std::string_view expected, const json& value, bool secret) {
  const bool tells_type = secret || value.is_structured() || value.is_null();
  reading_.fail(path, "must be " + std::string{expected} +
                          (secret && value.is_string() ? ""
                           : tells_type                ? ", but is " + std::string{type_of(value)}
                                                       : ", but is " + shown(value)));
}

std::optional<std::uint64_t> ObjectReader::whole_number(std::string_view key, std::uint64_t min, std::uint64_t max) {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= min && number <= max) return number;
  }
  fail_expected(path_of(key), "a whole number from " + std::to_string(min) + " to " + std::to_string(max), *value,
                false);
  return std::nullopt;
}

void ObjectReader::flag(std::string_view key, bool& out) {
  const json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return fail_expected(path_of(key), "true or false", *value, false);
  out = value->get<bool>();
}

void ObjectReader::seconds(std::string_view key, std::chrono::seconds& out, std::uint64_t min, std::uint64_t max) {
  if (const auto value = whole_number(key, min, max)) out = std::chrono::seconds{*value};
}

void ObjectReader::microseconds(std::string_view key, std::chrono::microseconds& out, std::uint64_t min,
                                std::uint64_t max) {
  if (const auto value = whole_number(key, min, max)) out = std::chrono::microseconds{*value};
}

void ObjectReader::file(std::string_view key, std::optional<std::filesystem::path>& out) {
  const json* value = find(key);
  if (value == nullptr || value->is_null()) return;
  const std::string path = path_of(key);
  if (!value->is_string() || value->get_ref<const std::string&>().empty()) {
    return fail_expected(path, "the path of a file or folder, or null", *value, false);
  }
  const Origin& origin = reading_.document.origin(path);
  std::filesystem::path base;
  if (origin.in_file) base = std::filesystem::path{reading_.document.origin("").text}.parent_path();
  out = std::filesystem::absolute(base / value->get_ref<const std::string&>()).lexically_normal();
}

const json* ObjectReader::list_of(std::string_view key, std::size_t count_max) {
  const json* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_array() && value->size() <= count_max) return value;
  const std::string expected = "a list in brackets of at most " + std::to_string(count_max) + " entries";
  fail(key, "must be " + expected + ", but " +
                (value->is_array() ? "has " + std::to_string(value->size()) : "is " + std::string{type_of(*value)}));
  return nullptr;
}

}  // namespace causeway::config
