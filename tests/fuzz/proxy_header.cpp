// SPDX-License-Identifier: Apache-2.0
// Whoever reads what is asked for comes to an end, within the limit, and has read nothing that is behind the header:
// no shorter beginning may be whole, and none may have asked for more than there was.
#include "net/proxy_header.hpp"

#include <algorithm>
#include <cstdlib>

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const Bytes stream{input, size};
  std::size_t whole_not_before = 0;
  for (std::size_t taken = 0; taken <= size; ++taken) {
    const auto header = net::parse_proxy_header(stream.first(taken));
    if (!header) return 0;
    if (taken > net::kProxyHeaderBytesMax) std::abort();
    if (header->missing == 0) {
      if (taken < whole_not_before) std::abort();
      if (taken < size && net::parse_proxy_header(stream.first(taken + 1))) std::abort();
      return 0;
    }
    if (header->addresses || taken + header->missing > net::kProxyHeaderBytesMax) std::abort();
    whole_not_before = std::max(whole_not_before, taken + header->missing);
  }
  return 0;
}
