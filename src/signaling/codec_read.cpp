// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "causeway/signaling/envelope.hpp"
#include "signaling/codec.hpp"

namespace causeway::signaling {
namespace {

constexpr std::size_t kTypeBytesEchoed = 64;

std::string sentence(EnvelopeError error) {
  switch (error) {
    case EnvelopeError::kNotJson:
      break;
    case EnvelopeError::kNotObject:
      return "A message is a JSON object.";
    case EnvelopeError::kTooDeep:
      return "The message is nested deeper than " + std::to_string(kNestingMax) + " levels.";
    case EnvelopeError::kTooManyMembers:
      return "The message has more than " + std::to_string(kEnvelopeMembersMax) + " members.";
    case EnvelopeError::kDuplicateKey:
      return "The message has the same key twice.";
    case EnvelopeError::kLoneSurrogate:
      return "A string in the message has half of a surrogate pair: it is no Unicode text.";
  }
  return std::string(explanation(ErrorCode::kNotJson));
}

// The members of one message, and the first thing that is wrong with them.
class Fields {
 public:
  explicit Fields(const std::vector<EnvelopeMember>& members) : members_(members) {}

  // Empty when absent; `null` counts as absent, because that is what clients send for a variable that is not set.
  std::string_view raw_optional(std::string_view key) const {
    const std::string_view value = raw(key);
    return value == "null" ? std::string_view{} : value;
  }

  // Empty when absent.
  std::string_view raw(std::string_view key) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [key](const EnvelopeMember& member) { return member.key == key; });
    return found == members_.end() ? std::string_view{} : found->value;
  }

  std::optional<std::string> string_optional(std::string_view key) {
    const std::string_view value = raw_optional(key);
    if (value.empty()) return std::nullopt;
    std::optional<std::string> text = decode_string(value);
    if (!text) fail("The member " + std::string(key) + " has to be a string.");
    return text;
  }

  std::string string(std::string_view key) {
    std::optional<std::string> text = string_optional(key);
    if (!text) fail("The message needs a member " + std::string(key) + ", a string.");
    return std::move(text).value_or(std::string());
  }

  void fail(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
  }

  const std::string& problem() const { return problem_; }  // empty: none

 private:
  const std::vector<EnvelopeMember>& members_;
  std::string problem_;
};

using Body = decltype(ClientMessage::body);

std::optional<std::uint64_t> whole_number(std::string_view raw) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (raw.empty() || error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return number;
}

std::optional<ResumeRequest> read_resume(Fields& fields) {
  const std::string_view raw = fields.raw_optional("resume");
  if (raw.empty()) return std::nullopt;
  const auto members = scan_envelope(raw);  // what is well-formed as a part is so alone
  if (members) {
    Fields resume(*members);
    const auto seq = whole_number(resume.raw("seq"));
    std::string token = resume.string("token");
    if (seq && resume.problem().empty()) return ResumeRequest{std::move(token), *seq};
  }
  fields.fail("The member resume has to be an object with token, a string, and seq, a whole number.");
  return std::nullopt;
}

Body read_join(Fields& fields) {
  return Join{fields.string("room"), fields.string_optional("name").value_or(std::string()), read_resume(fields),
              fields.string_optional("token")};
}

bool read_flag(Fields& fields, std::string_view key, bool is_required) {
  const std::string_view raw = fields.raw_optional(key);
  if (raw == "true" || raw == "false" || (raw.empty() && !is_required)) return raw == "true";
  fields.fail("The member " + std::string(key) + " has to be true or false.");
  return false;
}

Body read_lock(Fields& fields) {
  const bool locked = read_flag(fields, "locked", true);
  const bool knock = read_flag(fields, "knock", false);
  return Lock{!locked ? RoomLock::kOpen : knock ? RoomLock::kKnock : RoomLock::kLocked};
}

template <class Request>
Body read_about_member(Fields& fields) {
  return Request{fields.string("member")};
}

// The values under these names are relayed, whatever they are; at least one has to be there.
template <RelayType kType>
Body read_relay(Fields& fields, std::initializer_list<std::string_view> names) {
  Relay relay{kType, fields.string_optional("to"), {}};
  for (const std::string_view value_name : names) {
    const std::string_view value = fields.raw(value_name);
    if (!value.empty()) relay.values.push_back({value_name, value});
  }
  if (relay.values.empty()) fields.fail("The message needs a member " + std::string(*names.begin()) + ".");
  return relay;
}

struct MessageType {
  std::string_view name;
  Body (*read)(Fields&);
};

constexpr std::array kMessageTypes{
    MessageType{"join", read_join},
    MessageType{"offer", [](Fields& fields) { return read_relay<RelayType::kOffer>(fields, {"sdp"}); }},
    MessageType{"answer", [](Fields& fields) { return read_relay<RelayType::kAnswer>(fields, {"sdp"}); }},
    MessageType{"candidate",
                [](Fields& fields) {
                  return read_relay<RelayType::kCandidate>(fields, {"candidate", "candidates"});
                }},
    MessageType{"message", [](Fields& fields) { return read_relay<RelayType::kMessage>(fields, {"data"}); }},
    MessageType{"ice", [](Fields&) { return Body{IceRequest{}}; }},
    MessageType{"leave", [](Fields&) { return Body{Leave{}}; }},
    MessageType{"lock", read_lock},
    MessageType{"kick", read_about_member<Kick>},
    MessageType{"admit", read_about_member<Admit>},
    MessageType{"deny", read_about_member<Deny>},
    MessageType{"ping", [](Fields&) { return Body{Ping{}}; }},
};

bool is_string_or_number(std::string_view raw) {
  return raw.front() == '"' || raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9');
}

std::string unknown_type(const std::string& type) {
  if (type.size() > kTypeBytesEchoed) return std::string(explanation(ErrorCode::kUnknownType));
  return "There is no message type \"" + type + "\" here: see features in the welcome message.";
}

}  // namespace

Result<ClientMessage, BadMessage> parse_client_message(std::string_view text) {
  const auto members = scan_envelope(text);
  if (!members) {
    const bool not_json = members.error() == EnvelopeError::kNotJson;
    return BadMessage{not_json ? ErrorCode::kNotJson : ErrorCode::kBadMessage, sentence(members.error()), {}};
  }

  Fields fields(*members);
  ClientMessage message;
  const std::string_view id = fields.raw_optional("id");
  if (!id.empty() && !is_string_or_number(id)) {
    return BadMessage{ErrorCode::kBadMessage, "The member id has to be a string or a number.", {}};
  }
  message.id = id;
  for (const std::string_view key : {"from", "seq"}) {
    if (fields.raw(key).empty()) continue;
    return BadMessage{ErrorCode::kBadMessage, "The server writes " + std::string(key) + ", a client must not.",
                      std::string(id)};
  }

  const std::string type = fields.string("type");
  const auto known = std::find_if(kMessageTypes.begin(), kMessageTypes.end(),
                                  [&type](const MessageType& candidate) { return candidate.name == type; });
  if (fields.problem().empty() && known == kMessageTypes.end()) {
    return BadMessage{ErrorCode::kUnknownType, unknown_type(type), std::string(id)};
  }
  if (known != kMessageTypes.end()) message.body = known->read(fields);
  if (!fields.problem().empty()) return BadMessage{ErrorCode::kBadMessage, fields.problem(), std::string(id)};
  return message;
}

}  // namespace causeway::signaling
