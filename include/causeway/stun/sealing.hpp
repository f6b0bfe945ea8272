// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption of what a client keeps for the server and must neither read nor change: AES-SIV
// (RFC 5297) with keys of 256 bits. It needs no nonce: equal values give equal results, and others show nothing.
// Throws std::runtime_error where OpenSSL does not provide the algorithm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/bytes.hpp"

namespace causeway::stun {

using SealKey = std::array<std::uint8_t, 64>;
inline constexpr std::size_t kSealBytes = 16;  // what is sealed becomes longer by these

std::vector<std::uint8_t> seal(const SealKey& key, Bytes plain);
// nullopt for what this key did not seal.
std::optional<std::vector<std::uint8_t>> unseal(const SealKey& key, Bytes sealed);

}  // namespace causeway::stun
