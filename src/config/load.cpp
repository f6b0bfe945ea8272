// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "config/nearest.hpp"
#include "config/sections.hpp"

namespace causeway::config {
namespace {

Findings error(const std::filesystem::path& file, std::string sentence) {
  return {{Severity::kError, file.string(), std::move(sentence)}};
}

void name_unknown_keys(Reading& reading) {
  const std::set<std::string> known = known_keys();
  for (const std::string& path : reading.unknown_keys) {
    reading.fail(path, "is not a key of the configuration; the nearest is " + nearest(path, known));
  }
}

}  // namespace

Result<std::string, Findings> read_file(const std::filesystem::path& file) {
  std::error_code status_error;
  const auto status = std::filesystem::status(file, status_error);
  if (std::filesystem::is_directory(status)) {
    return error(file, "this is a folder; name the configuration file in it.");
  }
  // Of a FIFO the open waits for somebody to write, and a reload could not read it again.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return error(file, "this is a FIFO, a socket or a device; name a file.");
  }
  errno = 0;
  std::ifstream stream{file, std::ios::binary};
  std::string text(Document::kBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.gcount() == 0 && (!stream.is_open() || stream.bad())) {
    return error(file, "this file cannot be read: " + std::generic_category().message(errno) + ".");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::set<std::string> known_keys() {
  // Reading an empty document with one empty listener, realm and key asks for every key once.
  Document document;
  document.set({{"realms"}, nlohmann::json::array({nlohmann::json::object()}), ""});
  document.set({{"listeners"}, nlohmann::json::array({nlohmann::json::object()}), ""});
  document.set({{"signaling", "tokens", "keys"}, nlohmann::json::array({nlohmann::json::object()}), ""});
  Reading reading{document};
  Config config;
  ObjectReader::read(reading, document.root(), "", [&](ObjectReader& root) { read_config(root, config); });
  return reading.known_keys;
}

Result<Config, Findings> load_text(std::string_view text, const std::optional<std::filesystem::path>& file,
                                   const Environment& environment, const std::vector<Setting>& command_line) {
  Document document;
  Findings findings;
  if (file && !document.parse(text, *file, findings)) return findings;
  apply_environment(environment, known_keys(), document, findings);
  for (const Setting& setting : command_line)
    document.set(setting);

  Reading reading{document, std::move(findings)};
  Config config;
  config.file = file;
  ObjectReader::read(reading, document.root(), "", [&](ObjectReader& root) { read_config(root, config); });
  name_unknown_keys(reading);
  if (config.state_directory.empty()) {
    if (const auto directory = default_state_directory(environment)) {
      config.state_directory = std::filesystem::absolute(*directory).lexically_normal();
    } else {
      reading.fail("state_directory",
                   "has no default here, because $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME are not "
                   "set; set it to a folder that may be written");
    }
  }
  if (!reading.findings.empty()) return std::move(reading.findings);
  return config;
}

Result<Config, Findings> load(const std::optional<std::filesystem::path>& file, const Environment& environment,
                              const std::vector<Setting>& command_line) {
  if (!file) return load_text("", file, environment, command_line);
  const auto text = read_file(*file);
  if (!text) return text.error();
  return load_text(*text, file, environment, command_line);
}

}  // namespace causeway::config
