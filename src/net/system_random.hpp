// SPDX-License-Identifier: Apache-2.0
// The CSPRNG of OpenSSL as the core's source of randomness.
#pragma once

#include <openssl/rand.h>

#include <stdexcept>

#include "causeway/base/random.hpp"

namespace causeway::net {

class SystemRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
      throw std::runtime_error("The system gives no random numbers (RAND_bytes failed)");
    }
  }
};

}  // namespace causeway::net
