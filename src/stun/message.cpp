// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/message.hpp"

#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"

namespace causeway::stun {
namespace {

constexpr std::size_t kCookieOffset = 4;
constexpr std::size_t kTransactionIdOffset = 8;

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + 3) & ~std::size_t{3};
}

// The inverse of message_type().
constexpr Method method_of(std::uint16_t type) noexcept {
  return static_cast<Method>((type & 0x000F) | ((type & 0x00E0) >> 1) | ((type & 0x3E00) >> 2));
}

constexpr MessageClass class_of(std::uint16_t type) noexcept {
  return static_cast<MessageClass>(((type & 0x0010) >> 4) | ((type & 0x0100) >> 7));
}

Attribute read_attribute(Bytes message, std::size_t position) noexcept {
  const auto type = static_cast<AttributeType>(load_be16(message.data() + position));
  const std::size_t value_bytes = load_be16(message.data() + position + 2);
  return {type, message.subspan(position + kAttributeHeaderBytes, value_bytes), position};
}

}  // namespace

Result<MessageView, ParseError> MessageView::parse(Bytes bytes) noexcept {
  // RFC 8489 §6.3: the checks of a message that has just come in.
  if (bytes.size() < kHeaderBytes) return ParseError::kTooShort;
  if ((bytes[0] & 0xC0) != 0) return ParseError::kNotStun;
  if (load_be32(bytes.data() + kCookieOffset) != kMagicCookie) return ParseError::kBadCookie;
  if (bytes.size() % 4 != 0 || load_be16(bytes.data() + 2) != bytes.size() - kHeaderBytes)
    return ParseError::kBadLength;

  MessageView view;
  view.bytes_ = bytes;
  view.integrity_end_ = bytes.size();
  const std::uint16_t type = load_be16(bytes.data());
  view.method_ = method_of(type);
  view.class_ = class_of(type);
  std::copy_n(bytes.data() + kTransactionIdOffset, view.transaction_id_.size(), view.transaction_id_.begin());

  // Position and size are multiples of four, so a header and the padding always fit. Hidden attributes are checked too.
  for (std::size_t position = kHeaderBytes; position < bytes.size();) {
    const std::size_t value_bytes = load_be16(bytes.data() + position + 2);
    if (value_bytes > bytes.size() - position - kAttributeHeaderBytes) return ParseError::kTruncatedAttribute;
    const Attribute attribute = read_attribute(bytes, position);
    view.types_ |= bit_of(attribute.type);
    view.note_integrity(attribute);
    position = next_position(attribute);
  }
  return view;
}

void MessageView::note_integrity(const Attribute& attribute) noexcept {
  const bool is_sha256 = attribute.type == AttributeType::kMessageIntegritySha256;
  if (!is_sha256 && attribute.type != AttributeType::kMessageIntegrity) return;
  if (integrity_end_ == bytes_.size()) {
    integrity_end_ = next_position(attribute);
    sha256_seen_ = is_sha256;
  } else if (is_sha256 && !sha256_seen_) {
    sha256_offset_ = attribute.offset;
    sha256_seen_ = true;
  }
}

bool MessageView::is_visible(const Attribute& attribute) const noexcept {
  return attribute.offset < integrity_end_ || attribute.offset == sha256_offset_ ||
         attribute.type == AttributeType::kFingerprint;
}

std::optional<Attribute> MessageView::attribute_from(std::size_t position) const noexcept {
  while (position < bytes_.size()) {
    const Attribute attribute = read_attribute(bytes_, position);
    if (is_visible(attribute)) return attribute;
    position = next_position(attribute);
  }
  return std::nullopt;
}

std::size_t MessageView::next_position(const Attribute& attribute) noexcept {
  return attribute.offset + kAttributeHeaderBytes + padded(attribute.value.size());
}

std::optional<Attribute> MessageView::find(AttributeType type) const noexcept {
  if ((types_ & bit_of(type)) == 0) return std::nullopt;
  for (std::size_t position = kHeaderBytes; position < bytes_.size();) {
    const Attribute attribute = read_attribute(bytes_, position);
    if (attribute.type == type && is_visible(attribute)) return attribute;
    position = next_position(attribute);
  }
  return std::nullopt;
}

std::optional<Bytes> MessageView::value(AttributeType type) const noexcept {
  if (const auto attribute = find(type)) return attribute->value;
  return std::nullopt;
}

MessageBuilder::MessageBuilder(MutableBytes buffer, Method method, MessageClass message_class,
                               const TransactionId& id) noexcept
    : buffer_(buffer), overflowed_(buffer.size() < kHeaderBytes) {
  if (overflowed_) return;
  store_be16(buffer_.data(), message_type(method, message_class));
  store_be16(buffer_.data() + 2, 0);
  store_be32(buffer_.data() + kCookieOffset, kMagicCookie);
  std::copy(id.begin(), id.end(), buffer_.data() + kTransactionIdOffset);
}

std::uint8_t* MessageBuilder::append(AttributeType type, std::size_t value_bytes) noexcept {
  const std::size_t room = std::min(buffer_.size(), kMessageBytesMax);
  if (overflowed_ || kAttributeHeaderBytes + padded(value_bytes) > room - used_) {
    overflowed_ = true;
    return nullptr;
  }
  std::uint8_t* const header = buffer_.data() + used_;
  store_be16(header, static_cast<std::uint16_t>(type));
  store_be16(header + 2, static_cast<std::uint16_t>(value_bytes));
  std::uint8_t* const value = header + kAttributeHeaderBytes;
  std::fill(value + value_bytes, value + padded(value_bytes), std::uint8_t{0});  // RFC 8489 §14
  used_ += kAttributeHeaderBytes + padded(value_bytes);
  store_be16(buffer_.data() + 2, static_cast<std::uint16_t>(used_ - kHeaderBytes));
  return value;
}

MessageBuilder& MessageBuilder::add(AttributeType type, Bytes value) noexcept {
  if (std::uint8_t* const to = append(type, value.size())) std::copy(value.begin(), value.end(), to);
  return *this;
}

MessageBuilder& MessageBuilder::add_u32(AttributeType type, std::uint32_t value) noexcept {
  if (std::uint8_t* const to = append(type, 4)) store_be32(to, value);
  return *this;
}

MessageBuilder& MessageBuilder::add_xor_address(AttributeType type, const Endpoint& endpoint) noexcept {
  std::array<std::uint8_t, kXorAddressBytesMax> value{};
  TransactionId id{};
  if (!overflowed_) std::copy_n(buffer_.data() + kTransactionIdOffset, id.size(), id.begin());
  return add(type, Bytes{value.data(), write_xor_address(value.data(), endpoint, id)});
}

MessageBuilder& MessageBuilder::add_address(AttributeType type, const Endpoint& endpoint) noexcept {
  std::array<std::uint8_t, kXorAddressBytesMax> value{};
  return add(type, Bytes{value.data(), write_address(value.data(), endpoint)});
}

MessageBuilder& MessageBuilder::add_error_code(ErrorCode code) noexcept {
  return append_error_code(AttributeType::kErrorCode, 0, code);
}

MessageBuilder& MessageBuilder::add_address_error_code(AttributeType type, AddressFamily family,
                                                       ErrorCode code) noexcept {
  return append_error_code(type, static_cast<std::uint8_t>(family), code);
}

MessageBuilder& MessageBuilder::append_error_code(AttributeType type, std::uint8_t family, ErrorCode code) noexcept {
  const std::string_view reason = reason_phrase(code);
  if (std::uint8_t* const to = append(type, 4 + reason.size())) {
    const auto number = static_cast<std::uint16_t>(code);
    to[0] = family;
    to[1] = 0;
    to[2] = static_cast<std::uint8_t>(number / 100);
    to[3] = static_cast<std::uint8_t>(number % 100);
    std::copy(reason.begin(), reason.end(), to + 4);
  }
  return *this;
}

// append() has counted the attribute into the length field before anything is computed, as RFC 8489 §14.5–14.7 ask.
template <class Digest, class Hmac>
MessageBuilder& MessageBuilder::append_integrity(AttributeType type, const Hmac& hmac) {
  const std::size_t offset = used_;
  if (std::uint8_t* const to = append(type, sizeof(Digest))) {
    const Digest digest = hmac({buffer_.first(offset)});
    std::copy(digest.begin(), digest.end(), to);
  }
  return *this;
}

MessageBuilder& MessageBuilder::add_message_integrity(const IntegrityKey& key) {
  return append_integrity<Sha1Digest>(AttributeType::kMessageIntegrity, key.sha1());
}

MessageBuilder& MessageBuilder::add_message_integrity(Bytes key) {
  return append_integrity<Sha1Digest>(AttributeType::kMessageIntegrity, HmacSha1{key});
}

MessageBuilder& MessageBuilder::add_message_integrity_sha256(const IntegrityKey& key) {
  return append_integrity<Sha256Digest>(AttributeType::kMessageIntegritySha256, key.sha256());
}

MessageBuilder& MessageBuilder::add_message_integrity_sha256(Bytes key) {
  return append_integrity<Sha256Digest>(AttributeType::kMessageIntegritySha256, HmacSha256{key});
}

MessageBuilder& MessageBuilder::add_fingerprint() noexcept {
  const std::size_t offset = used_;
  if (std::uint8_t* const to = append(AttributeType::kFingerprint, 4)) {
    store_be32(to, fingerprint_of(buffer_.first(offset)));
  }
  return *this;
}

Bytes MessageBuilder::finish() const noexcept {
  if (overflowed_) return {};
  return buffer_.first(used_);
}

}  // namespace causeway::stun
