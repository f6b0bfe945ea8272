// SPDX-License-Identifier: Apache-2.0
// Any octets: parse, walk, read every value in every way, check integrity and fingerprint.
#include <cstdlib>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto message = stun::MessageView::parse({input, size});
  if (!message) return 0;
  std::size_t end = stun::kHeaderBytes;
  message->for_each([&](const stun::Attribute& attribute) {
    if (attribute.offset < end) std::abort();
    end = attribute.offset + stun::kAttributeHeaderBytes + attribute.value.size();
    if (end > size || !message->has(attribute.type)) std::abort();
    stun::read_xor_address(attribute.value, message->transaction_id());
    stun::read_address(attribute.value);
    stun::read_error_code(attribute.value);
    stun::read_u32(attribute.value);
    stun::read_channel_number(attribute.value);
    stun::read_requested_transport(attribute.value);
    stun::read_requested_address_family(attribute.value);
    stun::read_even_port(attribute.value);
  });
  stun::check_message_integrity(*message, as_bytes("VOkJxbRl1RmTxUk/WvJxBt"));
  stun::check_message_integrity_sha256(*message, as_bytes("VOkJxbRl1RmTxUk/WvJxBt"));
  stun::check_fingerprint(*message);
  return 0;
}
