// SPDX-License-Identifier: Apache-2.0
// Addresses, endpoints and prefixes from their text. Throw std::invalid_argument, which fails the test, for any other.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"

namespace causeway::test {

inline IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) throw std::invalid_argument("no address: " + std::string{text});
  return *address;
}
inline Endpoint at(std::string_view address, std::uint16_t port) {
  return {ip(address), port};
}
inline Prefix cidr(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  if (!prefix) throw std::invalid_argument("no prefix: " + std::string{text});
  return *prefix;
}

}  // namespace causeway::test
