// SPDX-License-Identifier: Apache-2.0
// The stateless cookies of HelloVerifyRequest (RFC 6347 §4.2.1): HMAC-SHA256 over the client's address and port, the
// address it sent to and the minute, by a key that nobody else has and that ends with the process. A client that sends
// one back can read what is sent to its address; until then nothing is remembered of it.
#pragma once

#include <array>
#include <cstdint>

#include "causeway/base/bytes.hpp"
#include "causeway/base/random.hpp"
#include "causeway/base/time.hpp"
#include "causeway/turn/five_tuple.hpp"

namespace causeway::net {

class DtlsCookies {
 public:
  // With it a HelloVerifyRequest has 60 octets, less than any ClientHello.
  using Cookie = std::array<std::uint8_t, 32>;
  // A cookie is good in the minute it was made in and the next one, so collecting them for later is of no use.
  static constexpr std::chrono::minutes kPeriod{1};

  explicit DtlsCookies(RandomSource& random) { random.fill(key_); }

  Cookie make(const turn::FiveTuple& client, TimePoint now) const;
  bool is_valid(Bytes cookie, const turn::FiveTuple& client, TimePoint now) const;

 private:
  Cookie of_period(const turn::FiveTuple& client, std::int64_t period) const;

  std::array<std::uint8_t, 32> key_{};
};

}  // namespace causeway::net
