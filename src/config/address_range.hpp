// SPDX-License-Identifier: Apache-2.0
// Ranges of addresses from a first to a last one, as other servers write them, and the prefixes that cover exactly the
// same addresses.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"

namespace causeway::config {

struct AddressRange {
  IpAddress first;
  IpAddress last;  // of the same family, not below first

  friend bool operator==(const AddressRange&, const AddressRange&) noexcept = default;
};

// "192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.0/24".
std::optional<AddressRange> parse_address_range(std::string_view text);

// The fewest prefixes, in order: at most 62 for IPv4 and 254 for IPv6.
std::vector<Prefix> prefixes_of(const AddressRange& range);

}  // namespace causeway::config
