// SPDX-License-Identifier: Apache-2.0
#include "net/dtls_cookie.hpp"

#include "causeway/stun/integrity.hpp"

namespace causeway::net {
namespace {

std::int64_t period_of(TimePoint now) {
  return now.time_since_epoch() / DtlsCookies::kPeriod;
}

}  // namespace

DtlsCookies::Cookie DtlsCookies::make(const turn::FiveTuple& client, TimePoint now) const {
  return of_period(client, period_of(now));
}

bool DtlsCookies::is_valid(Bytes cookie, const turn::FiveTuple& client, TimePoint now) const {
  const std::int64_t period = period_of(now);
  return equal_constant_time(cookie, of_period(client, period)) ||
         equal_constant_time(cookie, of_period(client, period - 1));
}

DtlsCookies::Cookie DtlsCookies::of_period(const turn::FiveTuple& client, std::int64_t period) const {
  // The octets of both addresses come last and with the ports in front: no two clients have the same text.
  std::array<std::uint8_t, 13> head{};
  store_be32(head.data(), static_cast<std::uint32_t>(static_cast<std::uint64_t>(period) >> 32));
  store_be32(head.data() + 4, static_cast<std::uint32_t>(period));
  store_be16(head.data() + 8, client.client.port);
  store_be16(head.data() + 10, client.server.port);
  head[12] = static_cast<std::uint8_t>(client.client.address.family());
  return stun::hmac_sha256(key_, {head, client.client.address.octets(), client.server.address.octets()});
}

}  // namespace causeway::net
