// SPDX-License-Identifier: Apache-2.0
#include "net/receive_batch.hpp"

#include <algorithm>
#include <cerrno>

#include "causeway/turn/server.hpp"
#include "net/control_messages.hpp"
#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

constexpr std::size_t kDatagramBytesMax = 65536;
// Not a power of two: the beginnings of all slots would share the same few lines of the processor's cache.
constexpr std::size_t kSlotBytes = turn::Server::kHeadroomBytes + kDatagramBytesMax + 64;
static_assert(turn::Server::kTailroomBytes <= 64);

}  // namespace

ReceiveBatch::ReceiveBatch() : memory_(new std::uint8_t[kSlots * kSlotBytes]) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    parts_[slot] = {memory_.get() + slot * kSlotBytes + turn::Server::kHeadroomBytes, kDatagramBytesMax};
    msghdr& message = messages_[slot].msg_hdr;
    message.msg_name = &names_[slot];
    message.msg_iov = &parts_[slot];
    message.msg_iovlen = 1;
    message.msg_control = controls_[slot].octets.data();
  }
}

// The kernel writes the lengths anew with each datagram.
void ReceiveBatch::prepare(std::size_t slot) noexcept {
  msghdr& message = messages_[slot].msg_hdr;
  message.msg_namelen = sizeof(sockaddr_storage);
  message.msg_controllen = kControlBytes;
}

std::span<const Received> ReceiveBatch::receive(UdpSocket& socket, std::size_t datagrams_max) noexcept {
  const std::size_t first = used_;
  const std::size_t wanted = std::min(datagrams_max, free_slots());
  for (std::size_t slot = first; slot < first + wanted; ++slot)
    prepare(slot);
  int count = -1;
  for (int attempt = 0; attempt < UdpSocket::kAttemptsMax && count < 0; ++attempt) {
    count = ::recvmmsg(socket.descriptor(), &messages_[first], static_cast<unsigned>(wanted), 0, nullptr);
    if (count < 0 && errno == EAGAIN) break;
  }
  for (int i = 0; i < count; ++i)
    take(socket, used_++);
  return {&received_[first], used_ - first};
}

void ReceiveBatch::take(UdpSocket& socket, std::size_t slot) noexcept {
  const ReceivedControls controls = read_controls(messages_[slot].msg_hdr);
  if (controls.drops) kernel_drops_ += socket.note_drops(*controls.drops);
  const std::size_t bytes = messages_[slot].msg_len;
  received_[slot] = {from_sockaddr(names_[slot]).value_or(Endpoint{}),
                     controls.local.value_or(socket.bound_address()),
                     {static_cast<std::uint8_t*>(parts_[slot].iov_base), bytes},
                     controls.segment_bytes != 0 ? controls.segment_bytes : std::max<std::size_t>(bytes, 1),
                     controls.traffic_class};
}

}  // namespace causeway::net
