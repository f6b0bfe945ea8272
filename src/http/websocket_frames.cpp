// SPDX-License-Identifier: Apache-2.0
#include "http/websocket_frames.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "causeway/base/base64.hpp"
#include "causeway/base/utf8.hpp"

namespace causeway::http {
namespace {

using Kind = Received::Kind;

constexpr std::uint8_t kFinal = 0x80, kReserved = 0x70, kOpcode = 0x0F, kMasked = 0x80, kLength = 0x7F;
constexpr std::uint8_t kLength16 = 126, kLength64 = 127;
constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kMaskBytes = 4;

Received error(std::uint16_t code) noexcept {
  return {.kind = Kind::kError, .code = code};
}

void unmask(MutableBytes payload, const std::uint8_t* mask) noexcept {
  std::array<std::uint8_t, 8> twice{};
  for (std::size_t i = 0; i < twice.size(); ++i)
    twice[i] = mask[i % kMaskBytes];
  std::uint64_t pattern = 0;
  std::memcpy(&pattern, twice.data(), sizeof pattern);
  std::size_t at = 0;
  for (; at + sizeof pattern <= payload.size(); at += sizeof pattern) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, sizeof word);
    word ^= pattern;
    std::memcpy(payload.data() + at, &word, sizeof word);
  }
  for (; at < payload.size(); ++at)
    payload[at] ^= mask[at % kMaskBytes];
}

// Octets of the whole characters that `text` begins with.
std::size_t utf8_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t kNotAscii = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & kNotAscii) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

bool is_utf8(std::string_view text) noexcept {
  return utf8_prefix(text) == text.size();
}

// RFC 6455 §7.4: those that may be sent.
bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

struct FrameReader::Header {
  std::uint8_t first = 0;
  std::size_t bytes = 0;  // with the mask
  std::uint64_t length = 0;

  Opcode opcode() const noexcept { return static_cast<Opcode>(first & kOpcode); }
  bool is_final() const noexcept { return (first & kFinal) != 0; }
  bool is_control() const noexcept { return (first & kOpcode) >= static_cast<std::uint8_t>(Opcode::kClose); }

  // False where `octets` do not hold all of it.
  bool parse(Bytes octets) noexcept {
    if (octets.size() < 2) return false;
    first = octets[0];
    length = octets[1] & kLength;
    const std::size_t extended = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
    bytes = 2 + extended + ((octets[1] & kMasked) != 0 ? kMaskBytes : 0);
    if (octets.size() < bytes) return false;
    if (extended == 2) length = load_be16(octets.data() + 2);
    if (extended == 8) length = std::uint64_t{load_be32(octets.data() + 2)} << 32U | load_be32(octets.data() + 6);
    return true;
  }

  // RFC 6455 §5.1, §5.2, §5.5.
  bool is_allowed(Bytes octets, bool is_fragmented) const noexcept {
    const bool is_known = is_control() ? opcode() <= Opcode::kPong : opcode() <= Opcode::kBinary;
    if (!is_known || (first & kReserved) != 0 || (octets[1] & kMasked) == 0) return false;
    if (is_control()) return is_final() && length <= kControlBytesMax && (octets[1] & kLength) <= kControlBytesMax;
    if ((opcode() == Opcode::kContinuation) != is_fragmented) return false;
    const std::uint8_t form = octets[1] & kLength;  // the shortest one
    return form == kLength16 ? length >= kLength16 : form == kLength64 ? length > 0xFFFF && length >> 63U == 0 : true;
  }
};

Received FrameReader::next(MutableBytes& octets, std::size_t message_bytes_max) {
  if (to_skip_ > 0) return skip(octets);
  if (!is_fragmented_) forget();  // the message that the last call returned
  Header header;
  if (!header.parse(octets)) return {};
  if (!header.is_allowed(octets, is_fragmented_)) return error(kProtocolError);
  if (!header.is_control() && header.length > message_bytes_max - std::min(message_.size(), message_bytes_max)) {
    forget();
    is_fragmented_ = !header.is_final();
    to_skip_ = header.bytes + header.length;
    skip(octets);
    return {.kind = Kind::kTooBig};
  }
  if (octets.size() - header.bytes < header.length) return {};
  const MutableBytes payload = octets.subspan(header.bytes, static_cast<std::size_t>(header.length));
  unmask(payload, octets.data() + header.bytes - kMaskBytes);
  octets = octets.subspan(header.bytes + payload.size());
  return header.is_control() ? take_control(header, as_text(payload)) : take_data(header, as_text(payload));
}

Received FrameReader::skip(MutableBytes& octets) noexcept {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, octets.size()));
  octets = octets.subspan(skipped);
  to_skip_ -= skipped;
  return {.kind = skipped > 0 ? Kind::kFragment : Kind::kIncomplete};
}

Received FrameReader::take_data(const Header& header, std::string_view payload) {
  const bool begins = !std::exchange(is_fragmented_, !header.is_final());
  if (header.opcode() == Opcode::kBinary) return {.kind = Kind::kBinary};
  if (begins && header.is_final()) {
    return is_utf8(payload) ? Received{.kind = Kind::kText, .payload = payload} : error(kInvalidPayload);
  }
  message_.append(payload);
  valid_ += utf8_prefix(std::string_view(message_).substr(valid_));
  // A character that the end of a fragment cuts goes on in the next one.
  constexpr std::size_t kCutMax = 3;
  if (message_.size() - valid_ > (header.is_final() ? 0 : kCutMax)) return error(kInvalidPayload);
  return header.is_final() ? Received{.kind = Kind::kText, .payload = message_} : Received{.kind = Kind::kFragment};
}

Received FrameReader::take_control(const Header& header, std::string_view payload) noexcept {
  if (header.opcode() == Opcode::kPing) return {.kind = Kind::kPing, .payload = payload};
  if (header.opcode() == Opcode::kPong) return {.kind = Kind::kPong, .payload = payload};
  // RFC 6455 §5.5.1
  if (payload.empty()) return {.kind = Kind::kClose, .code = kNoStatus};
  if (payload.size() == 1) return error(kProtocolError);
  const std::uint16_t code = load_be16(as_bytes(payload).data());
  if (!is_close_code(code)) return error(kProtocolError);
  if (!is_utf8(payload.substr(2))) return error(kInvalidPayload);
  return {.kind = Kind::kClose, .payload = payload, .code = code};
}

void FrameReader::forget() noexcept {
  if (message_.capacity() > 0) std::string().swap(message_);
  valid_ = 0;
}

void append_frame(std::vector<std::uint8_t>& to, Opcode opcode, std::string_view payload) {
  std::array<std::uint8_t, 10> header{};
  std::size_t bytes = 2;
  header[0] = kFinal | static_cast<std::uint8_t>(opcode);
  if (payload.size() <= kControlBytesMax) {
    header[1] = static_cast<std::uint8_t>(payload.size());
  } else if (payload.size() <= 0xFFFF) {
    header[1] = kLength16;
    store_be16(header.data() + 2, static_cast<std::uint16_t>(payload.size()));
    bytes = 4;
  } else {
    header[1] = kLength64;
    store_be32(header.data() + 2, static_cast<std::uint32_t>(std::uint64_t{payload.size()} >> 32U));
    store_be32(header.data() + 6, static_cast<std::uint32_t>(payload.size()));
    bytes = 10;
  }
  to.insert(to.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(bytes));
  to.insert(to.end(), payload.begin(), payload.end());
}

void append_close_frame(std::vector<std::uint8_t>& to, std::uint16_t code, std::string_view reason) {
  if (code == kNoStatus) return append_frame(to, Opcode::kClose, {});
  std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  append_frame(to, Opcode::kClose, payload.append(reason.substr(0, kControlBytesMax - 2)));
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &bytes, EVP_sha1(), nullptr);
  return base64_encode(Bytes{digest}.first(bytes));
}

}  // namespace causeway::http
