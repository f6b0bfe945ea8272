// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/base64.hpp"

#include <array>

namespace causeway {
namespace {

constexpr std::string_view kStandardAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> kUrlDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kUrlAlphabet.size(); ++i) {
    digits[static_cast<std::uint8_t>(kUrlAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}();

std::string encode(Bytes bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const std::uint8_t octet : bytes) {
    bits = (bits << 8) | octet;
    for (bit_count += 8; bit_count >= 6;)
      text += alphabet[(bits >> (bit_count -= 6)) & 0x3F];
  }
  if (bit_count > 0) text += alphabet[(bits << (6 - bit_count)) & 0x3F];
  return text;
}

}  // namespace

std::string base64_encode(Bytes bytes) {
  std::string text = encode(bytes, kStandardAlphabet);
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

std::string base64url_encode(Bytes bytes) {
  return encode(bytes, kUrlAlphabet);
}

std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const char character : text) {
    const std::uint8_t digit = kUrlDigits[static_cast<std::uint8_t>(character)];
    if (digit == kNoDigit) return std::nullopt;
    bits = (bits << 6) | digit;
    bit_count += 6;
    if (bit_count >= 8) bytes.push_back(static_cast<std::uint8_t>(bits >> (bit_count -= 8)));
  }
  // RFC 4648 §3.5: one value has one encoding, so the bits that are left over are zero.
  if ((bits & ((1u << bit_count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace causeway
