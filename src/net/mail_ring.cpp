// SPDX-License-Identifier: Apache-2.0
#include "net/mail_ring.hpp"

#include <cstring>
#include <new>

#include "causeway/turn/server.hpp"

namespace causeway::net {

// In front of each packet, at a multiple of kUnitBytes. None reaches over the end of the ring: what is left there is
// skipped.
struct MailRing::Record {
  std::uint32_t bytes;  // of all of it, with the packet and the room around that
  std::uint32_t packet_bytes;
  bool is_skipped;
  WorkerMail mail;
};

namespace {

constexpr std::size_t kRoomBytes = turn::Server::kHeadroomBytes + turn::Server::kTailroomBytes;

constexpr std::size_t kUnitBytes = 128;
static_assert(MailRing::kBytes % kUnitBytes == 0);

constexpr std::size_t in_units(std::size_t bytes) noexcept {
  return (bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
}

}  // namespace

MailRing::MailRing() : octets_(std::make_unique_for_overwrite<std::byte[]>(kBytes)) {
  static_assert(sizeof(Record) <= kUnitBytes && alignof(Record) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}

bool MailRing::write(const WorkerMail& mail, Bytes packet) noexcept {
  const std::uint64_t end = written_.load(std::memory_order_relaxed);
  const std::size_t bytes = in_units(sizeof(Record) + kRoomBytes + packet.size());
  const std::size_t to_the_end = kBytes - end % kBytes;
  const std::size_t skipped = bytes > to_the_end ? to_the_end : 0;
  if (end + skipped + bytes - released_.load(std::memory_order_acquire) > kBytes) return false;
  if (skipped != 0) {
    ::new (octets_.get() + end % kBytes) Record{static_cast<std::uint32_t>(skipped), 0, true, {}};
  }
  std::byte* const place = octets_.get() + (end + skipped) % kBytes;
  ::new (place) Record{static_cast<std::uint32_t>(bytes), static_cast<std::uint32_t>(packet.size()), false, mail};
  if (!packet.empty()) std::memcpy(place + sizeof(Record) + turn::Server::kHeadroomBytes, packet.data(), packet.size());
  written_.store(end + skipped + bytes, std::memory_order_release);
  return true;
}

std::optional<MailRing::Letter> MailRing::read() noexcept {
  const std::uint64_t end = written_.load(std::memory_order_acquire);
  while (read_ != end) {
    std::byte* const place = octets_.get() + read_ % kBytes;
    const Record& record = *std::launder(reinterpret_cast<const Record*>(place));
    read_ += record.bytes;
    if (record.is_skipped) continue;
    auto* const packet = reinterpret_cast<std::uint8_t*>(place + sizeof(Record) + turn::Server::kHeadroomBytes);
    return Letter{record.mail, {packet, record.packet_bytes}};
  }
  return std::nullopt;
}

}  // namespace causeway::net
