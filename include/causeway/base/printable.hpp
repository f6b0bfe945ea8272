// SPDX-License-Identifier: Apache-2.0
// Text of strangers on its way to a log or a terminal: user names, reason phrases, names in certificates, keys of
// files. It must not end a line, drive a terminal, hide or turn around what stands beside it.
//
//   \n \r \t            these three                    \x9b     an octet that is no UTF-8
//   \u{1b} \u{202e}     a control (C0, C1, DEL), or a code point that is invisible or changes the direction of writing
//
// The loggers and the commands apply printable() to every line that they write, whoever its text is of; a line that has
// text in quotes gets it from quoted_text().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway {

// What it returns it leaves as it is.
std::string printable(std::string_view text);

// The same in quotes, with a backslash in front of quotes and backslashes, and "…" for what exceeds `octets_max`.
std::string quoted_text(std::string_view text, std::size_t octets_max = 128);

}  // namespace causeway
