// SPDX-License-Identifier: Apache-2.0
// From coturn's turnserver.conf to a configuration of Causeway: text in, text and notes out. What is written loads
// without an error; each key says in a comment which line it comes from. What cannot be carried over is a note that
// never holds a value, because it may be a secret.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::config {

struct ImportNote {
  std::size_t line = 0;  // of the file, counted from 1; 0: about the whole of it
  std::string sentence;  // begins with the option where there is one; without a full stop
};

struct TurnserverImport {
  std::string json;  // with // comments
  std::vector<ImportNote> notes;
};

// `name` is what the comments call the file.
TurnserverImport import_turnserver_conf(std::string_view text, std::string_view name);

}  // namespace causeway::config
