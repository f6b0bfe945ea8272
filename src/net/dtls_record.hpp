// SPDX-License-Identifier: Apache-2.0
// The header of a DTLS record (RFC 6347 §4.1), offsets and sizes in octets:
//
//   0       1           3         5                     11          13
//   | type  | version   | epoch   | sequence number     | length    | fragment ...
#pragma once

#include <cstddef>
#include <cstdint>

namespace causeway::net {

inline constexpr std::size_t kRecordHeaderBytes = 13;
inline constexpr std::size_t kRecordEpochAt = 3;  // 0 until the handshake has made keys: not encrypted
inline constexpr std::size_t kRecordLengthAt = 11;

// ContentType, RFC 8446 §B.1
inline constexpr std::uint8_t kRecordAlert = 21;
inline constexpr std::uint8_t kRecordHandshake = 22;
inline constexpr std::uint8_t kRecordApplicationData = 23;

}  // namespace causeway::net
