// SPDX-License-Identifier: Apache-2.0
// The OpaqueString profile of PRECIS (RFC 8265 §4.2) for names, passwords and realms: RFC 8489 §9.2.2, §14.3 and §14.9
// have both sides use strings in this form, so that one password gives one key however a keyboard composes its letters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::config {

// `text` after enforcement: every space is U+0020, and letters are composed (NFC). nullopt when it is not UTF-8, is
// empty, or has a code point that the FreeformClass of RFC 8264 §4.3 forbids: controls, unassigned ones, those that
// cannot be seen, and joiners where their context does not call for them.
//
// Deviation: RFC 5389 §15.3 has SASLprep, which these clients may apply instead. Both give the same for nearly all
// strings; where they do not (compatibility characters such as a full-width letter or a ligature, which SASLprep
// replaces by plain ones; a soft hyphen, which it drops and OpaqueString forbids), the form is that of RFC 8489 §14.3.
std::optional<std::string> opaque_string(std::string_view text);

}  // namespace causeway::config
