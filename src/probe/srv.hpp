// SPDX-License-Identifier: Apache-2.0
// The SRV records (RFC 2782) in an answer of a DNS server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "causeway/base/bytes.hpp"

namespace causeway::probe {

struct SrvTarget {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string host;

  friend bool operator==(const SrvTarget&, const SrvTarget&) = default;
};

// At most 16, in the order to try them: the lowest priority first, of one priority the heaviest. A probe need not
// spread load, and looks the same each time. Whatever is no such record is passed over.
std::vector<SrvTarget> parse_srv_answer(Bytes answer);

}  // namespace causeway::probe
