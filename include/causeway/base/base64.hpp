// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648: the standard alphabet with padding (§4) for passwords of time-limited credentials,
// the URL-safe one without padding (§5) for nonces and identifiers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/bytes.hpp"

namespace causeway {

std::string base64_encode(Bytes bytes);
std::string base64url_encode(Bytes bytes);

// nullopt for a character outside of the alphabet, padding, an impossible length or bits that are not zero at the end.
std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text);

}  // namespace causeway
