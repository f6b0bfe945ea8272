// SPDX-License-Identifier: Apache-2.0
// A request's failure on its way to becoming an error response; Server::write_error turns it into bytes.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "causeway/stun/types.hpp"

namespace causeway::turn {

struct StunError {
  stun::ErrorCode code;
  boost::container::static_vector<std::uint16_t, 16> unknown_attributes{};  // of a 420, as many as fit
};

}  // namespace causeway::turn
