// SPDX-License-Identifier: Apache-2.0
// Looks at one JSON object (RFC 8259) from the outside: where the values of its top-level members begin and end. The
// values themselves are checked and left alone, so they can be forwarded byte for byte. Total: any bytes are an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/result.hpp"

namespace causeway::signaling {

inline constexpr std::size_t kNestingMax = 32;          // objects and arrays, the envelope itself included
inline constexpr std::size_t kEnvelopeMembersMax = 32;  // keeps the search for keys that come twice short

enum class EnvelopeError : std::uint8_t {
  kNotJson,         // also: not UTF-8, a byte order mark, anything but white space behind the value
  kNotObject,       // JSON, but an array or a scalar
  kTooDeep,         // nested deeper than kNestingMax; what follows was not looked at
  kTooManyMembers,  // more than kEnvelopeMembersMax
  kDuplicateKey,    // a top-level key twice, whichever way it is escaped
  kLoneSurrogate,   // "\ud83d" without its other half (RFC 7493 §2.1), at any depth
};

struct EnvelopeMember {
  std::string key;         // decoded
  std::string_view value;  // raw: a part of the text, without the white space around it
};

// Not JSON wins over the other errors, except kTooDeep; of those the first one is reported.
Result<std::vector<EnvelopeMember>, EnvelopeError> scan_envelope(std::string_view text);

// The value of a raw JSON string that scan_envelope has accepted; nullopt for any other kind of value.
std::optional<std::string> decode_string(std::string_view raw);

}  // namespace causeway::signaling
