// SPDX-License-Identifier: Apache-2.0
// STUN messages (RFC 8489 §5, §14): a view of received bytes, and a builder that writes into the caller's buffer.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   |0 0|     message type          |        message length         |
//   |                  magic cookie  0x2112A442                     |
//   |                  transaction id (96 bits)                     |
//   |       attribute type          |   length      | value, padded to 4 octets ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "causeway/stun/types.hpp"

namespace causeway::stun {

class IntegrityKey;

enum class ParseError : std::uint8_t {
  kTooShort,           // fewer than 20 octets
  kNotStun,            // the two first bits are not zero
  kBadCookie,          // no magic cookie: RFC 3489 or noise
  kBadLength,          // the length field is not that of the bytes, or not a multiple of 4
  kTruncatedAttribute  // an attribute reaches beyond the message
};

struct Attribute {
  AttributeType type{};
  Bytes value;             // without padding
  std::size_t offset = 0;  // of the attribute's header, from the start of the message
};

// A checked, non-owning view: valid as long as the bytes it was made from.
// Attributes behind MESSAGE-INTEGRITY are not seen, except MESSAGE-INTEGRITY-SHA256, and behind both only
// FINGERPRINT (RFC 8489 §14.5, §14.6, §14.7): nobody can slip in what the integrity check does not cover.
class MessageView {
 public:
  // `bytes` is exactly one message.
  static Result<MessageView, ParseError> parse(Bytes bytes) noexcept;

  MessageClass message_class() const noexcept { return class_; }
  Method method() const noexcept { return method_; }
  const TransactionId& transaction_id() const noexcept { return transaction_id_; }
  Bytes bytes() const noexcept { return bytes_; }

  // The first attribute of this type (RFC 8489 §14: later ones of the same type are ignored).
  std::optional<Attribute> find(AttributeType type) const noexcept;
  bool has(AttributeType type) const noexcept { return find(type).has_value(); }
  std::optional<Bytes> value(AttributeType type) const noexcept;

  // Calls visit(const Attribute&) for each visible attribute in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (auto attribute = attribute_from(kHeaderBytes); attribute;
         attribute = attribute_from(next_position(*attribute))) {
      visit(*attribute);
    }
  }

 private:
  MessageView() = default;
  static constexpr std::uint64_t bit_of(AttributeType type) noexcept {
    return std::uint64_t{1} << (static_cast<unsigned>(type) % 64);
  }
  void note_integrity(const Attribute& attribute) noexcept;
  bool is_visible(const Attribute& attribute) const noexcept;
  std::optional<Attribute> attribute_from(std::size_t position) const noexcept;  // the next visible one
  static std::size_t next_position(const Attribute& attribute) noexcept;

  Bytes bytes_;
  std::size_t integrity_end_ = 0;  // of the first integrity attribute; the message's end when there is none
  std::size_t sha256_offset_ = 0;  // of a MESSAGE-INTEGRITY-SHA256 behind a MESSAGE-INTEGRITY, 0 when there is none
  bool sha256_seen_ = false;
  std::uint64_t types_ = 0;  // bit_of() each attribute: most that are asked for are not there
  Method method_{};
  MessageClass class_{};
  TransactionId transaction_id_{};
};

// Writes one message. Each call appends; one that does not fit sets overflowed() and nothing more is written.
// Padding is zero (RFC 8489 §14). The integrity attributes and FINGERPRINT come last, in this order.
class MessageBuilder {
 public:
  MessageBuilder(MutableBytes buffer, Method method, MessageClass message_class, const TransactionId& id) noexcept;

  MessageBuilder& add(AttributeType type, Bytes value) noexcept;
  MessageBuilder& add_text(AttributeType type, std::string_view text) noexcept { return add(type, as_bytes(text)); }
  MessageBuilder& add_u32(AttributeType type, std::uint32_t value) noexcept;
  MessageBuilder& add_flag(AttributeType type) noexcept { return add(type, {}); }
  MessageBuilder& add_xor_address(AttributeType type, const Endpoint& endpoint) noexcept;
  MessageBuilder& add_address(AttributeType type, const Endpoint& endpoint) noexcept;
  MessageBuilder& add_error_code(ErrorCode code) noexcept;
  // RFC 8656 §18.12 ADDRESS-ERROR-CODE.
  MessageBuilder& add_address_error_code(AttributeType type, AddressFamily family, ErrorCode code) noexcept;

  // HMAC-SHA1 over all that is written so far (RFC 8489 §14.5), HMAC-SHA256 (§14.6), CRC-32 (§14.7).
  // The first two throw std::runtime_error where OpenSSL lacks the algorithm.
  MessageBuilder& add_message_integrity(const IntegrityKey& key);
  MessageBuilder& add_message_integrity(Bytes key);
  MessageBuilder& add_message_integrity_sha256(const IntegrityKey& key);
  MessageBuilder& add_message_integrity_sha256(Bytes key);
  MessageBuilder& add_fingerprint() noexcept;

  bool overflowed() const noexcept { return overflowed_; }
  std::size_t size() const noexcept { return used_; }  // so far
  // The message; empty when it overflowed.
  Bytes finish() const noexcept;

 private:
  // Where the value goes; nullptr on overflow.
  std::uint8_t* append(AttributeType type, std::size_t value_bytes) noexcept;
  template <class Digest, class Hmac>
  MessageBuilder& append_integrity(AttributeType type, const Hmac& hmac);
  MessageBuilder& append_error_code(AttributeType type, std::uint8_t family, ErrorCode code) noexcept;

  MutableBytes buffer_;
  std::size_t used_ = kHeaderBytes;
  bool overflowed_ = false;
};

}  // namespace causeway::stun
