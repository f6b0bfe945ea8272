// SPDX-License-Identifier: Apache-2.0
// Octets written as RFCs print them: "21 12 a4 42".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace causeway::test {

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> octets;
  bool half = false;
  for (const char digit : text) {
    if (digit == ' ' || digit == '\n') continue;
    const std::size_t value = std::string_view{"0123456789abcdef"}.find(digit);
    if (value == std::string_view::npos) throw std::invalid_argument("not a lower-case hexadecimal digit");
    if (!half) octets.push_back(0);
    octets.back() = static_cast<std::uint8_t>(octets.back() * 16u + value);
    half = !half;
  }
  if (half) throw std::invalid_argument("an odd number of hexadecimal digits");
  return octets;
}

}  // namespace causeway::test
