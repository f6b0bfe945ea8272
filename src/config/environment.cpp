// SPDX-License-Identifier: Apache-2.0
#include "config/environment.hpp"

#include <unistd.h>

#include <algorithm>

#include "config/nearest.hpp"

namespace causeway::config {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "CAUSEWAY_";

std::string path_of_variable(std::string_view name) {
  std::string path{name.substr(kPrefix.size())};
  for (auto at = path.find("__"); at != std::string::npos; at = path.find("__", at))
    path.replace(at, 2, ".");
  std::ranges::transform(path, path.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return path;
}

std::string variable_of_path(std::string_view path) {
  std::string name{kPrefix};
  for (const char c : path) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  return name;
}

std::vector<std::string> keys_of(std::string_view path) {
  std::vector<std::string> keys;
  for (;;) {
    const auto dot = path.find('.');
    keys.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return keys;
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string> first_of_list(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second.substr(0, found->second.find(':'));  // systemd separates several with colons
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

void apply_environment(const Environment& environment, const std::set<std::string>& known_keys, Document& document,
                       Findings& findings) {
  // Entries of a list have no variable of their own: the list is set as a whole.
  std::set<std::string> settable = known_keys;
  std::erase_if(settable, [](const std::string& key) { return key.find("[]") != std::string::npos; });
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string origin = "environment variable " + name;
    const std::string path = path_of_variable(name);
    if (!settable.contains(path) || variable_of_path(path) != name) {
      findings.push_back({Severity::kError, origin,
                          "this names no key of the configuration; the nearest is " +
                              variable_of_path(nearest(path, settable)) + "."});
      continue;
    }
    Document parsed;
    json content = value;
    if (value.starts_with('{') || value.starts_with('[') || json::accept(value)) {
      if (!parsed.parse(value, origin, findings)) continue;
      content = parsed.root();
    }
    document.set({keys_of(path), std::move(content), origin});
  }
}

std::optional<std::filesystem::path> default_state_directory(const Environment& environment) {
  if (const auto systemd = first_of_list(environment, "STATE_DIRECTORY")) return *systemd;
  const auto value = [&](std::string_view name) -> std::filesystem::path {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  // The XDG Base Directory Specification has relative paths ignored.
  if (const auto state = value("XDG_STATE_HOME"); state.is_absolute()) return state / "causeway";
  if (const auto home = value("HOME"); home.is_absolute()) return home / ".local/state/causeway";
  return std::nullopt;
}

std::optional<std::filesystem::path> default_file(const Environment& environment) {
  std::vector<std::filesystem::path> directories{"/etc/causeway", "/usr/local/etc/causeway"};
  if (const auto systemd = first_of_list(environment, "CONFIGURATION_DIRECTORY")) directories = {*systemd};
  for (const auto& directory : directories) {
    std::error_code error;
    const bool there = std::filesystem::exists(directory / "causeway.json", error);
    if (there || error) return directory / "causeway.json";
  }
  return std::nullopt;
}

}  // namespace causeway::config
