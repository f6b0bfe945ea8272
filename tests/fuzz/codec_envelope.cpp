// SPDX-License-Identifier: Apache-2.0
// The envelope scanner and the codec against nlohmann/json: both take and refuse the same texts and see the same
// members.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "causeway/signaling/envelope.hpp"
#include "signaling/codec.hpp"

namespace {

using namespace causeway::signaling;
using Json = nlohmann::json;

void require(bool condition) {
  if (!condition) std::abort();
}

// Reads without building anything and keeps the number of the error.
struct ErrorRecorder : Json::json_sax_t {
  static constexpr int kNumberOutOfRange = 406;
  int error = 0;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception& exception) override {
    error = exception.id;
    return false;
  }
};

void compare_members(std::string_view text, const std::vector<EnvelopeMember>& members) {
  const Json whole = Json::parse(text);
  require(whole.is_object() && whole.size() == members.size());
  for (const EnvelopeMember& member : members) {
    require(member.value.data() >= text.data() &&
            member.value.data() + member.value.size() <= text.data() + text.size());
    require(std::string_view(" \t\r\n").find(member.value.front()) == std::string_view::npos);
    require(std::string_view(" \t\r\n").find(member.value.back()) == std::string_view::npos);
    const Json value = Json::parse(member.value);
    require(whole.at(member.key) == value);
    const auto text_value = decode_string(member.value);
    require(text_value.has_value() == value.is_string());
    if (text_value) require(*text_value == value.get_ref<const std::string&>());
  }
}

void compare_scanner(std::string_view text) {
  // nlohmann/json skips a byte order mark, stops at a zero octet and refuses numbers that a double cannot hold.
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string_view::npos) return;
  const auto members = scan_envelope(text);
  ErrorRecorder recorder;
  const bool accepted = Json::sax_parse(text, &recorder);
  if (!members) {
    const EnvelopeError error = members.error();
    if (error == EnvelopeError::kNotJson || error == EnvelopeError::kLoneSurrogate) require(!accepted);
    return;
  }
  require(accepted || recorder.error == ErrorRecorder::kNumberOutOfRange);
  if (accepted) compare_members(text, *members);
}

void relay(std::string_view text) {
  const auto message = parse_client_message(text);
  if (!message) {
    require(scan_envelope(
                write_server_message(Error{message.error().code, message.error().message, message.error().id, false}))
                .has_value());
    return;
  }
  const auto* relay = std::get_if<Relay>(&message->body);
  if (relay == nullptr) return;
  Relayed relayed{relay->type, "member", {}};
  for (const RelayedValueView& value : relay->values)
    relayed.values.push_back({value.name, std::string(value.value)});
  const std::string written = write_server_message(relayed);
  const auto members = scan_envelope(written);
  require(members.has_value() && members->size() == relayed.values.size() + 2);
  for (std::size_t i = 0; i < relayed.values.size(); ++i)
    require((*members)[i + 2].value == relay->values[i].value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  compare_scanner(text);
  relay(text);
  return 0;
}
