// SPDX-License-Identifier: Apache-2.0
#include "signaling/candidate.hpp"

#include <array>
#include <stdexcept>

namespace causeway::load {
namespace {

constexpr std::string_view kHead =
    R"({"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 10.20.30.40 rport 46154 )"
    "generation 0 ufrag ";
constexpr std::string_view kTail =
    R"( network-id 3 network-cost 10","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":")";
constexpr std::string_view kEnd = "\"}";
constexpr std::string_view kDigits = "0123456789abcdef";

int digit(char of) noexcept {
  if (of >= '0' && of <= '9') return of - '0';
  return of >= 'a' && of <= 'f' ? of - 'a' + 10 : -1;
}

}  // namespace

const std::string& candidate_json() {
  static const std::string whole = [] {
    std::string text{kHead};
    text.append(kStampDigits, '0').append(kTail);
    return text.append(kCandidateBytes - text.size() - kEnd.size(), 'x').append(kEnd);
  }();
  return whole;
}

std::size_t stamp_position(std::string_view text) {
  const std::size_t at = text.find(kHead);
  if (at == std::string_view::npos) throw std::logic_error("a message without a candidate");
  return at + kHead.size();
}

void write_stamp(char* digits, const Stamp& stamp) noexcept {
  std::array<std::uint8_t, Stamp::kBytes> octets{};
  stamp.write(octets.data());
  for (const std::uint8_t octet : octets) {
    *digits++ = kDigits[octet >> 4U];
    *digits++ = kDigits[octet & 15U];
  }
}

std::optional<Stamp> read_stamp(std::string_view text) noexcept {
  const std::size_t at = text.find(kHead);
  const std::string_view value = candidate_json();
  if (at == std::string_view::npos || text.size() - at < value.size()) return std::nullopt;
  const std::size_t rest = kHead.size() + kStampDigits;
  if (text.substr(at + rest, value.size() - rest) != value.substr(rest)) return std::nullopt;
  std::array<std::uint8_t, Stamp::kBytes> octets{};
  const char* digits = text.data() + at + kHead.size();
  for (std::uint8_t& octet : octets) {
    const int high = digit(*digits++), low = digit(*digits++);
    if (high < 0 || low < 0) return std::nullopt;
    octet = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Stamp::read(octets.data());
}

}  // namespace causeway::load
