// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/envelope.hpp"

#include <algorithm>
#include <utility>

#include "causeway/base/utf8.hpp"

namespace causeway::signaling {
namespace {

constexpr std::uint32_t kReplacementCharacter = 0xFFFD;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// The UTF-16 code unit of an escape \uXXXX at the beginning of `text`.
std::optional<std::uint32_t> escaped_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  for (const char c : text.substr(2, 4)) {
    unsigned digit = 0;
    if (is_digit(c)) {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    unit = unit << 4 | digit;
  }
  return unit;
}

// A \u escape, or a pair of them, at the beginning of a text.
struct EscapedCharacter {
  std::size_t length;  // in octets of the text
  std::uint32_t code_point;
  bool lone_surrogate;
};

std::optional<EscapedCharacter> escaped_character(std::string_view text) {
  const std::optional<std::uint32_t> unit = escaped_unit(text);
  if (!unit) return std::nullopt;
  if (is_low_surrogate(*unit)) return EscapedCharacter{6, kReplacementCharacter, true};
  if (!is_high_surrogate(*unit)) return EscapedCharacter{6, *unit, false};
  const std::optional<std::uint32_t> low = escaped_unit(text.substr(6));
  if (!low || !is_low_surrogate(*low)) return EscapedCharacter{6, kReplacementCharacter, true};
  return EscapedCharacter{12, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), false};
}

// Recursive descent over RFC 8259; kNestingMax bounds the recursion. The functions return false to give up.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  Result<std::vector<EnvelopeMember>, EnvelopeError> scan() {
    skip_white_space();
    const bool is_object = next_is('{');
    const bool complete = is_object ? object(1, true) : value(0);
    if (too_deep_) return EnvelopeError::kTooDeep;
    skip_white_space();
    if (!complete || !rest_.empty()) return EnvelopeError::kNotJson;
    if (!is_object) return EnvelopeError::kNotObject;
    if (fault_) return *fault_;
    return std::move(members_);
  }

 private:
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }

  bool take(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_literal(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  bool take_digits() {
    const std::size_t count =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_digit) - rest_.begin());
    rest_.remove_prefix(count);
    return count > 0;
  }

  void skip_white_space() {
    const std::size_t count = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(std::min(count, rest_.size()));
  }

  void note(EnvelopeError fault) {
    if (!fault_) fault_ = fault;
  }

  // What has been read since `begin`, which is rest_ as it was then.
  std::string_view since(std::string_view begin) const { return begin.substr(0, begin.size() - rest_.size()); }

  bool value(std::size_t depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return object(depth + 1, false);
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case 't':
        return take_literal("true");
      case 'f':
        return take_literal("false");
      case 'n':
        return take_literal("null");
      default:
        return number();
    }
  }

  bool enter(std::size_t depth) {
    too_deep_ = depth > kNestingMax;
    rest_.remove_prefix(1);
    skip_white_space();
    return !too_deep_;
  }

  bool object(std::size_t depth, bool is_envelope) {
    if (!enter(depth)) return false;
    if (take('}')) return true;
    do {
      skip_white_space();
      const std::string_view key_begin = rest_;
      if (!next_is('"') || !string()) return false;
      const std::string_view key = since(key_begin);
      skip_white_space();
      if (!take(':')) return false;
      skip_white_space();
      const std::string_view value_begin = rest_;
      if (!value(depth)) return false;
      if (is_envelope) add_member(key, since(value_begin));
      skip_white_space();
    } while (take(','));
    return take('}');
  }

  bool array(std::size_t depth) {
    if (!enter(depth)) return false;
    if (take(']')) return true;
    do {
      skip_white_space();
      if (!value(depth)) return false;
      skip_white_space();
    } while (take(','));
    return take(']');
  }

  bool string() {
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (take('"')) return true;
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(rest_);
      if (length == 0 || static_cast<std::uint8_t>(c) < 0x20) return false;
      rest_.remove_prefix(length);
    }
    return false;
  }

  bool escape() {
    if (rest_.size() >= 2 && std::string_view("\"\\/bfnrt").find(rest_[1]) != std::string_view::npos) {
      rest_.remove_prefix(2);
      return true;
    }
    const std::optional<EscapedCharacter> character = escaped_character(rest_);
    if (!character) return false;
    if (character->lone_surrogate) note(EnvelopeError::kLoneSurrogate);
    rest_.remove_prefix(character->length);
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !take_digits()) return false;
    if (take('.') && !take_digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!take_digits()) return false;
    }
    return true;
  }

  void add_member(std::string_view raw_key, std::string_view raw_value) {
    if (members_.size() == kEnvelopeMembersMax) return note(EnvelopeError::kTooManyMembers);
    std::string key = decode_string(raw_key).value();
    const bool is_known = std::any_of(members_.begin(), members_.end(),
                                      [&key](const EnvelopeMember& member) { return member.key == key; });
    if (is_known) return note(EnvelopeError::kDuplicateKey);
    members_.push_back({std::move(key), raw_value});
  }

  std::string_view rest_;
  std::vector<EnvelopeMember> members_;
  std::optional<EnvelopeError> fault_;
  bool too_deep_ = false;
};

char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // the quotation mark, the backslash and the slash stand for themselves
  }
}

}  // namespace

Result<std::vector<EnvelopeMember>, EnvelopeError> scan_envelope(std::string_view text) {
  return Scanner(text).scan();
}

std::optional<std::string> decode_string(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return std::nullopt;
  std::string_view rest = raw.substr(1, raw.size() - 2);
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    text.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (rest.size() < 2) break;
    if (const std::optional<EscapedCharacter> character = escaped_character(rest)) {
      append_utf8(text, character->code_point);
      rest.remove_prefix(character->length);
    } else {
      text.push_back(unescaped(rest[1]));
      rest.remove_prefix(2);
    }
  }
  return text;
}

}  // namespace causeway::signaling
