// SPDX-License-Identifier: Apache-2.0
// A request's failure on its way to becoming an error response; Server::write_error turns it into bytes.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "causeway/stun/types.hpp"

namespace causeway::turn {

struct StunError {
  stun::ErrorCode code;
  // Of a 420. Deviation: RFC 8489 §6.3.1 lists them all; here it is sixteen at most, which no client exceeds, so that
  // an answer to a stranger never grows with the question.
  boost::container::static_vector<std::uint16_t, 16> unknown_attributes{};
};

}  // namespace causeway::turn
