// SPDX-License-Identifier: Apache-2.0
#include "load/framing.hpp"

#include <algorithm>

#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/message.hpp"

namespace causeway::load {

Framing::Framing(FramingKind kind, const std::vector<std::uint8_t>& prefix, std::size_t payload_bytes)
    : kind_(kind),
      prefix_bytes_(prefix.size()),
      payload_bytes_(payload_bytes),
      frame_(prefix.size() + payload_bytes, std::uint8_t{0x5A}) {
  std::ranges::copy(prefix, frame_.begin());
}

Framing Framing::plain(std::size_t payload_bytes) {
  return {FramingKind::kPlain, {}, payload_bytes};
}

Framing Framing::channel_data(std::uint16_t channel, std::size_t payload_bytes) {
  std::vector<std::uint8_t> prefix(stun::kChannelDataHeaderBytes);
  store_be16(prefix.data(), channel);
  store_be16(prefix.data() + 2, static_cast<std::uint16_t>(payload_bytes));
  return {FramingKind::kChannelData, prefix, payload_bytes};
}

Framing Framing::indication(const Endpoint& peer, std::size_t payload_bytes) {
  std::vector<std::uint8_t> message(payload_bytes + 100);
  const std::vector<std::uint8_t> payload(payload_bytes);
  stun::MessageBuilder builder{message, stun::Method::kSend, stun::MessageClass::kIndication, {}};
  builder.add_xor_address(stun::AttributeType::kXorPeerAddress, peer).add(stun::AttributeType::kData, payload);
  message.resize(builder.finish().size() - payload_bytes);
  return {FramingKind::kIndication, message, payload_bytes};
}

Framing Framing::binding() {
  std::vector<std::uint8_t> prefix(stun::kHeaderBytes - Stamp::kBytes);
  store_be16(prefix.data(), stun::message_type(stun::Method::kBinding, stun::MessageClass::kRequest));
  store_be32(prefix.data() + 4, stun::kMagicCookie);
  return {FramingKind::kBinding, prefix, Stamp::kBytes};
}

void Framing::write(std::uint8_t* to, const Stamp& stamp) const noexcept {
  std::ranges::copy(frame_, to);
  restamp(to, stamp);
}

void Framing::restamp(std::uint8_t* frame, const Stamp& stamp) const noexcept {
  stamp.write(frame + prefix_bytes_);
  if (payload_bytes_ > Stamp::kBytes) frame[frame_.size() - 1] = trailer(stamp);
}

std::optional<Bytes> Framing::unwrap(Bytes frame) const noexcept {
  switch (kind_) {
    case FramingKind::kPlain:
      return frame;
    case FramingKind::kChannelData:
      if (frame.size() < prefix_bytes_ || !std::equal(frame_.begin(), frame_.begin() + 4, frame.begin())) break;
      return frame.subspan(prefix_bytes_);
    case FramingKind::kIndication: {
      const auto message = stun::MessageView::parse(frame);
      if (!message || message->method() != stun::Method::kData) break;
      return message->value(stun::AttributeType::kData);
    }
    case FramingKind::kBinding:
      if (frame.size() < stun::kHeaderBytes + 12 || load_be16(frame.data()) != 0x0101) break;
      return frame.subspan(8, Stamp::kBytes);
  }
  return std::nullopt;
}

std::optional<Stamp> Framing::read(Bytes frame) const noexcept {
  const auto payload = unwrap(frame);
  if (!payload || payload->size() != payload_bytes_) return std::nullopt;
  const Stamp stamp = Stamp::read(payload->data());
  if (payload_bytes_ > Stamp::kBytes && payload->back() != trailer(stamp)) return std::nullopt;
  return stamp;
}

}  // namespace causeway::load
