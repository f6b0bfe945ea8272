// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/attributes.hpp"

#include <algorithm>

namespace causeway::stun {
namespace {

// RFC 8489 §14.1: an ignored octet, the family, the port, the address.
constexpr std::size_t kAddressOffset = 4;

// RFC 8489 §14.2: the cookie and the transaction id, as they stand in the header, mask the address.
std::array<std::uint8_t, 16> address_mask(const TransactionId& id) noexcept {
  std::array<std::uint8_t, 16> mask{};
  store_be32(mask.data(), kMagicCookie);
  std::copy(id.begin(), id.end(), mask.begin() + 4);
  return mask;
}

constexpr std::uint16_t kPortMask = kMagicCookie >> 16;

template <std::size_t N>
IpAddress unmask_address(const std::uint8_t* from, const std::array<std::uint8_t, 16>& mask) noexcept {
  std::array<std::uint8_t, N> octets{};
  for (std::size_t i = 0; i < N; ++i)
    octets[i] = static_cast<std::uint8_t>(from[i] ^ mask[i]);
  return IpAddress{octets};
}

std::optional<Endpoint> read_masked_address(Bytes value, std::uint16_t port_mask,
                                            const std::array<std::uint8_t, 16>& mask) noexcept {
  if (value.size() < kAddressOffset) return std::nullopt;
  const auto port = static_cast<std::uint16_t>(load_be16(value.data() + 2) ^ port_mask);
  const std::uint8_t* const octets = value.data() + kAddressOffset;
  if (value[1] == static_cast<std::uint8_t>(AddressFamily::kIPv4) && value.size() == kAddressOffset + 4) {
    return Endpoint{unmask_address<4>(octets, mask), port};
  }
  if (value[1] == static_cast<std::uint8_t>(AddressFamily::kIPv6) && value.size() == kAddressOffset + 16) {
    return Endpoint{unmask_address<16>(octets, mask), port};
  }
  return std::nullopt;
}

std::size_t write_masked_address(std::uint8_t* to, const Endpoint& endpoint, std::uint16_t port_mask,
                                 const std::array<std::uint8_t, 16>& mask) noexcept {
  const Bytes octets = endpoint.address.octets();
  to[0] = 0;
  to[1] = static_cast<std::uint8_t>(endpoint.address.family());
  store_be16(to + 2, static_cast<std::uint16_t>(endpoint.port ^ port_mask));
  for (std::size_t i = 0; i < octets.size(); ++i) {
    to[kAddressOffset + i] = static_cast<std::uint8_t>(octets[i] ^ mask[i]);
  }
  return kAddressOffset + octets.size();
}

}  // namespace

std::optional<Endpoint> read_xor_address(Bytes value, const TransactionId& id) noexcept {
  return read_masked_address(value, kPortMask, address_mask(id));
}

std::optional<Endpoint> read_address(Bytes value) noexcept {
  return read_masked_address(value, 0, {});
}

std::size_t write_xor_address(std::uint8_t* to, const Endpoint& endpoint, const TransactionId& id) noexcept {
  return write_masked_address(to, endpoint, kPortMask, address_mask(id));
}

std::size_t write_address(std::uint8_t* to, const Endpoint& endpoint) noexcept {
  return write_masked_address(to, endpoint, 0, {});
}

std::optional<std::uint16_t> read_error_code(Bytes value) noexcept {
  if (value.size() < 4) return std::nullopt;
  const unsigned error_class = value[2] & 0x07u;  // the 21 bits before are reserved and ignored
  const unsigned number = value[3];
  if (error_class < 3 || error_class > 6 || number > 99) return std::nullopt;
  return static_cast<std::uint16_t>(error_class * 100 + number);
}

std::optional<std::uint32_t> read_u32(Bytes value) noexcept {
  if (value.size() != 4) return std::nullopt;
  return load_be32(value.data());
}

std::optional<std::uint16_t> read_channel_number(Bytes value) noexcept {
  if (value.size() != 4) return std::nullopt;
  return load_be16(value.data());
}

std::optional<std::uint8_t> read_requested_transport(Bytes value) noexcept {
  if (value.size() != 4) return std::nullopt;
  return value[0];
}

std::optional<std::uint8_t> read_requested_address_family(Bytes value) noexcept {
  if (value.size() != 4) return std::nullopt;
  return value[0];
}

std::optional<bool> read_even_port(Bytes value) noexcept {
  if (value.size() != 1) return std::nullopt;
  return (value[0] & 0x80) != 0;
}

std::optional<ChangeRequest> read_change_request(Bytes value) noexcept {
  if (value.size() != 4) return std::nullopt;
  return ChangeRequest{.address = (value[3] & 0x04) != 0, .port = (value[3] & 0x02) != 0};
}

std::optional<std::uint16_t> read_response_port(Bytes value) noexcept {
  if (value.size() != 2 && value.size() != 4) return std::nullopt;
  return load_be16(value.data());
}

std::optional<std::uint16_t> read_password_algorithm(Bytes value) noexcept {
  if (value.size() != 4 || load_be16(value.data() + 2) != 0) return std::nullopt;
  return load_be16(value.data());
}

}  // namespace causeway::stun
