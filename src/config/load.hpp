// SPDX-License-Identifier: Apache-2.0
// From a file, the environment and the command line to a Config. The command line wins over the environment, the
// environment over the file, the file over the defaults. Looks at nothing but the text: app/check.hpp looks at the
// machine.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/result.hpp"
#include "config/config.hpp"
#include "config/document.hpp"
#include "config/environment.hpp"
#include "config/finding.hpp"

namespace causeway::config {

// Either a configuration or everything that is wrong with it.
Result<Config, Findings> load(const std::optional<std::filesystem::path>& file, const Environment& environment,
                              const std::vector<Setting>& command_line = {});

// The same for a text that has been read from `file`.
Result<Config, Findings> load_text(std::string_view text, const std::optional<std::filesystem::path>& file,
                                   const Environment& environment, const std::vector<Setting>& command_line = {});

// The text of `file`, or why it cannot be read. Of a file above Document::kBytesMax one octet more than that.
Result<std::string, Findings> read_file(const std::filesystem::path& file);

// The paths of all keys, sections included: "turn", "turn.relay.port_min", "listeners[].port".
std::set<std::string> known_keys();

}  // namespace causeway::config
