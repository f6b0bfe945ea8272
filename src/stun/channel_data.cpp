// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/channel_data.hpp"

namespace causeway::stun {

std::optional<ChannelData> parse_channel_data(MutableBytes bytes) noexcept {
  if (bytes.size() < kChannelDataHeaderBytes) return std::nullopt;
  const std::uint16_t number = load_be16(bytes.data());
  const std::size_t payload_bytes = load_be16(bytes.data() + 2);
  if (!is_channel_number(number) || payload_bytes > bytes.size() - kChannelDataHeaderBytes) return std::nullopt;
  return ChannelData{number, bytes.subspan(kChannelDataHeaderBytes, payload_bytes)};
}

MutableBytes write_channel_data_in_front(MutableBytes payload, std::uint16_t number) noexcept {
  std::uint8_t* const header = payload.data() - kChannelDataHeaderBytes;
  store_be16(header, number);
  store_be16(header + 2, static_cast<std::uint16_t>(payload.size()));
  return {header, kChannelDataHeaderBytes + payload.size()};
}

}  // namespace causeway::stun
