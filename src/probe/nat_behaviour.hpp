// SPDX-License-Identifier: Apache-2.0
// How the NATs on the way to a server behave (RFC 5780 §4.3, §4.4), over UDP. Blocks for a few seconds at most.
#pragma once

#include "causeway/base/random.hpp"
#include "causeway/stun/types.hpp"
#include "probe/report.hpp"

namespace causeway::probe {

// `other` is the server's OTHER-ADDRESS.
Outcome nat_behaviour(const Endpoint& server, const Endpoint& other, RandomSource& random);

}  // namespace causeway::probe
