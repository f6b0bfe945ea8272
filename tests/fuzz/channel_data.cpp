// SPDX-License-Identifier: Apache-2.0
// What parses as ChannelData is written again octet for octet, and its payload lies within.
#include "causeway/stun/channel_data.hpp"

#include <cstdlib>
#include <vector>

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  std::vector<std::uint8_t> octets(input, input + size);
  const auto message = stun::parse_channel_data(octets);
  if (!message) return 0;
  const MutableBytes written = stun::write_channel_data_in_front(message->payload, message->number);
  if (written.data() != octets.data() || written.size() > size ||
      as_text(written) != as_text({input, written.size()})) {
    std::abort();
  }
  return 0;
}
