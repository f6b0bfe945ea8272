// SPDX-License-Identifier: Apache-2.0
// The syntax of coturn's turnserver.conf: one option a line, "name", "name=value" or "name value", "#" in front of a
// comment; and what its options mean for a move to Causeway.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::config {

struct TurnserverOption {
  std::size_t line = 0;  // counted from 1
  std::string name;      // without leading dashes
  std::string value;     // without the quotes around it; empty where there is none

  // As coturn reads the value of an option that is on or off: by its first letter, but for "on" and "off"; no value is
  // on. nullopt: coturn does not start.
  std::optional<bool> is_on() const;

  // Whether coturn takes something for a part of the value that looks like a comment.
  bool seems_commented() const;
};

std::vector<TurnserverOption> parse_turnserver_conf(std::string_view text);

// Whether Causeway does what this option asks for anyway, or has nothing that it could apply to.
bool is_needless(std::string_view option);

// Why an option is not carried over and what to do instead; empty for one that coturn does not document.
std::string_view advice_about(std::string_view option);

}  // namespace causeway::config
