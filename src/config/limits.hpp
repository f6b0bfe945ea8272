// SPDX-License-Identifier: Apache-2.0
// How long the lists of a configuration may be, written or imported.
#pragma once

#include <cstddef>

namespace causeway::config {

inline constexpr std::size_t kListenersMax = 64;
inline constexpr std::size_t kExternalAddressesMax = 32;
inline constexpr std::size_t kUsersMax = 10'000;   // of a realm
inline constexpr std::size_t kSecretsMax = 16;     // shared secrets of a realm
inline constexpr std::size_t kPrefixesMax = 1000;  // of turn.peers.allow, and of turn.peers.deny

}  // namespace causeway::config
