// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration, in a sentence that an operator can act on. Never holds a password or a secret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace causeway::config {

enum class Severity : std::uint8_t { kWarning, kError };

struct Finding {
  Severity severity = Severity::kError;
  std::string where;     // "causeway.json:12", "environment variable CAUSEWAY_REALM"; may be empty
  std::string sentence;  // begins with the path of the key where there is one

  std::string to_string() const { return where.empty() ? sentence : where + ": " + sentence; }
};

using Findings = std::vector<Finding>;

}  // namespace causeway::config
