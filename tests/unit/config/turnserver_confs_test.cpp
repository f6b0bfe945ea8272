// SPDX-License-Identifier: Apache-2.0
// Each turnserver_confs/NAME.conf, in the style of a product that ships one, becomes a configuration that loads, with
// the listeners and the notes that NAME.expected names: "udp 127.0.0.1:3478", "5: external-ip: cannot stand" (the
// beginning of a note). No line is dropped in silence.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/import_turnserver_conf.hpp"
#include "config/load.hpp"
#include "config/turnserver_conf.hpp"

namespace causeway::config {
namespace {

std::filesystem::path turnserver_confs() {
  return std::filesystem::path{SOURCE_DIR} / "tests/unit/config/turnserver_confs";
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

std::vector<std::string> outcome_of(const TurnserverImport& import, const Config& config) {
  std::vector<std::string> outcome;
  for (const Listener& listener : config.listeners) {
    outcome.push_back(std::string{name_of(listener.transport)} + " " + listener.endpoint().to_string() +
                      (listener.encrypted_only ? " encrypted_only" : ""));
  }
  for (const ImportNote& note : import.notes)
    outcome.push_back(std::to_string(note.line) + ": " + note.sentence);
  return outcome;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator{turnserver_confs()}) {
    if (entry.path().extension() == ".conf") all.push_back(entry.path().stem().string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

class TurnserverConfs : public testing::TestWithParam<std::string> {};

TEST_P(TurnserverConfs, BecomesWhatIsExpectedAndLoads) {
  const std::string text = text_of(turnserver_confs() / (GetParam() + ".conf"));
  const TurnserverImport import = import_turnserver_conf(text, "turnserver.conf");
  const auto config = load_text(import.json, "causeway.json", {{"STATE_DIRECTORY", "/var/lib/causeway"}});
  if (!config) {
    for (const Finding& finding : config.error())
      ADD_FAILURE() << finding.to_string();
    return;
  }
  const std::vector<std::string> outcome = outcome_of(import, *config);
  const std::vector<std::string> expected = lines_of(text_of(turnserver_confs() / (GetParam() + ".expected")));
  EXPECT_EQ(outcome.size(), expected.size()) << testing::PrintToString(outcome);
  for (std::size_t i = 0; i < std::min(outcome.size(), expected.size()); ++i) {
    EXPECT_THAT(outcome[i], testing::StartsWith(expected[i]));
  }
  for (const TurnserverOption& option : parse_turnserver_conf(text)) {
    const auto is_noted = [&](const ImportNote& note) { return note.line == option.line; };
    const std::string origin = "turnserver.conf:" + std::to_string(option.line) + " ";
    EXPECT_TRUE(import.json.find(origin) != std::string::npos ||
                std::any_of(import.notes.begin(), import.notes.end(), is_noted))
        << "nothing is said about line " << option.line << ", " << option.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, TurnserverConfs, testing::ValuesIn(names()),
                         [](const auto& of_test) { return of_test.param; });

TEST(TurnserverConfFiles, AreAtLeastThirty) {
  EXPECT_GE(names().size(), 30U);
}

}  // namespace
}  // namespace causeway::config
