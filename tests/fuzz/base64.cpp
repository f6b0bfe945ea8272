// SPDX-License-Identifier: Apache-2.0
// What decodes is the only spelling of its octets.
#include "causeway/base/base64.hpp"

#include <cstdlib>

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view text = as_text({input, size});
  if (const auto octets = base64url_decode(text); octets && base64url_encode(*octets) != text) std::abort();
  const auto round_trip = base64url_decode(base64url_encode({input, size}));
  if (!round_trip || as_text(*round_trip) != text) std::abort();
  return 0;
}
