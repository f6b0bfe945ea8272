// SPDX-License-Identifier: Apache-2.0
#include "net/send_batch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/endpoint_conversion.hpp"

namespace causeway::net {
namespace {

// What the kernel takes in one call: UDP_MAX_SEGMENTS of older kernels, and the length of an IP packet.
constexpr std::size_t kSegmentsMax = 60;
constexpr std::size_t kRunBytesMax = 64'000;
// So many flows take turns on a busy socket before a run of theirs is not found again.
constexpr std::size_t kOpenRunsMax = 32;

std::uint64_t key_of(const SendBatch::Flow& flow) noexcept {
  std::array<std::uint64_t, 2> octets{};
  const Bytes address = flow.to.address.octets();
  std::memcpy(octets.data(), address.data(), address.size());
  std::uint64_t key = octets[0] ^ (octets[1] * 0x9E3779B97F4A7C15u);
  key = (key ^ (std::uint64_t{flow.to.port} << 40) ^ static_cast<std::uint64_t>(flow.socket->descriptor())) *
        0x9E3779B97F4A7C15u;
  return key | 1;  // never that of an empty place
}

std::size_t place_of(std::uint64_t key, std::size_t places) noexcept {
  return (key >> 40) % places;
}

}  // namespace

void SendBatch::add(const Flow& flow, Bytes datagram, Bytes segment) noexcept {
  const auto index = static_cast<Index>(datagrams_used_++);
  Datagram& added = datagrams_[index];
  added.head_bytes = added.tail_bytes = 0;
  added.next = kNone;
  added.body = datagram;
  if (!segment.empty()) {
    const std::uint8_t* const begin = std::max(datagram.data(), segment.data());
    const std::uint8_t* const datagram_end = datagram.data() + datagram.size();
    const std::uint8_t* const end = std::min(datagram_end, segment.data() + segment.size());
    added.body = {begin, end};
    added.head_bytes = static_cast<std::uint8_t>(begin - datagram.data());
    added.tail_bytes = static_cast<std::uint8_t>(datagram_end - end);
    std::copy(datagram.data(), begin, added.head.data());
  }
  const std::uint64_t key = key_of(flow);
  const Index found = find_run(flow, key, datagram.size());
  Run& run = runs_[found != kNone ? found : new_run(flow, key, datagram.size())];
  if (run.count == 0) {
    run.first = index;
  } else {
    datagrams_[run.last].next = index;
  }
  run.last = index;
  ++run.count;
  run.total_bytes += datagram.size();
  if (datagram.size() < run.segment_bytes || run.count == kSegmentsMax) run.is_complete = true;
}

// The youngest run of the flow, if the datagram can be its next one.
SendBatch::Index SendBatch::find_run(const Flow& flow, std::uint64_t key, std::size_t bytes) const noexcept {
  const std::size_t oldest = runs_used_ > kOpenRunsMax ? runs_used_ - kOpenRunsMax : 0;
  for (std::size_t i = runs_used_; i > oldest; --i) {
    if (keys_[i - 1] != key) continue;
    const Run& run = runs_[i - 1];
    if (run.socket != flow.socket || run.to != flow.to) continue;
    const bool same_way = run.traffic_class == flow.traffic_class && run.has_source == (flow.source != nullptr) &&
                          (flow.source == nullptr || run.source == *flow.source);
    const bool fits =
        !run.is_complete && bytes != 0 && bytes <= run.segment_bytes && run.total_bytes + bytes <= kRunBytesMax;
    return same_way && fits ? static_cast<Index>(i - 1) : kNone;
  }
  return kNone;
}

SendBatch::Index SendBatch::new_run(const Flow& flow, std::uint64_t key, std::size_t bytes) noexcept {
  const auto index = static_cast<Index>(runs_used_++);
  Run& run = runs_[index];
  keys_[index] = key;
  run.socket = flow.socket;
  run.to = flow.to;
  run.has_source = flow.source != nullptr;
  if (run.has_source) run.source = *flow.source;
  run.traffic_class = flow.traffic_class;
  run.count = 0;
  run.segment_bytes = bytes;
  run.total_bytes = 0;
  run.is_complete = !may_segment(*flow.socket, key);
  return index;
}

bool SendBatch::may_segment(const UdpSocket& socket, std::uint64_t key) const noexcept {
  return socket.sends_segments() && unsegmentable_[place_of(key, unsegmentable_.size())] != key;
}

void SendBatch::flush() noexcept {
  for (std::size_t run = 0; run < runs_used_; ++run)
    build(run);
  for (std::size_t first = 0; first < runs_used_;) {
    std::size_t end = first + 1;
    while (end < runs_used_ && runs_[end].socket == runs_[first].socket)
      ++end;
    send_runs(first, end);
    first = end;
  }
  datagrams_used_ = runs_used_ = parts_used_ = 0;
}

std::size_t SendBatch::append_parts(const Datagram& datagram, std::size_t at) noexcept {
  static constexpr std::array<std::uint8_t, 4> kPadding{};
  // sendmsg only reads.
  const auto part = [](Bytes bytes) { return iovec{const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; };
  if (datagram.head_bytes != 0) parts_[at++] = part(Bytes{datagram.head}.first(datagram.head_bytes));
  parts_[at++] = part(datagram.body);
  if (datagram.tail_bytes != 0) parts_[at++] = part(Bytes{kPadding}.first(datagram.tail_bytes));
  return at;
}

void SendBatch::build(std::size_t index) noexcept {
  const Run& run = runs_[index];
  if (run.to.address.is_v4()) run.socket->allow_fragments();
  write_controls(index, run.count > 1);
  msghdr& message = messages_[index].msg_hdr;
  message.msg_name = &names_[index];
  message.msg_namelen =
      run.socket->is_dual_stack() ? to_mapped_sockaddr(run.to, names_[index]) : to_sockaddr(run.to, names_[index]);
  const std::size_t first_part = parts_used_;
  for (Index i = run.first; i != kNone; i = datagrams_[i].next)
    parts_used_ = append_parts(datagrams_[i], parts_used_);
  message.msg_iov = &parts_[first_part];
  message.msg_iovlen = parts_used_ - first_part;
  message.msg_flags = 0;
  controls_[index].attach_to(message);
}

void SendBatch::write_controls(std::size_t index, bool segmented) noexcept {
  const Run& run = runs_[index];
  SentControls& controls = controls_[index];
  controls.clear();
  if (run.has_source) controls.add_source(run.source, run.socket->is_dual_stack() || !run.source.is_v4());
  if (run.traffic_class != TrafficClass{}) controls.add_traffic_class(run.traffic_class, run.to.address.family());
  if (segmented) controls.add_segment_bytes(static_cast<std::uint16_t>(run.segment_bytes));
}

void SendBatch::send_runs(std::size_t first, std::size_t end) noexcept {
  for (int attempt = 0; first < end;) {
    const int sent = send(first, end);
    for (int i = 0; i < sent; ++i)
      counters_.segmented_sends += runs_[first++].count > 1 ? 1 : 0;
    if (sent > 0) {
      attempt = 0;
      continue;
    }
    const int error = errno;
    const bool refused = error == EIO || error == EINVAL || error == EMSGSIZE;
    const bool segmented = runs_[first].count > 1;
    // Else the call may have reported, and so taken away, the error of an earlier datagram.
    if (!refused && error != EAGAIN && ++attempt < UdpSocket::kAttemptsMax) continue;
    if (refused && segmented) {
      send_one_by_one(first, error);
    } else {
      counters_.failures += runs_[first].count;
    }
    attempt = 0;
    ++first;
  }
}

// The number of runs that were sent, else -1. A single datagram is cheapest by sendto(2).
int SendBatch::send(std::size_t first, std::size_t end) noexcept {
  const int descriptor = runs_[first].socket->descriptor();
  if (end - first > 1) return ::sendmmsg(descriptor, &messages_[first], static_cast<unsigned>(end - first), 0);
  const msghdr& message = messages_[first].msg_hdr;
  if (message.msg_iovlen > 1 || message.msg_control != nullptr) {
    return ::sendmsg(descriptor, &message, 0) < 0 ? -1 : 1;
  }
  const iovec& part = message.msg_iov[0];
  const auto* const to = static_cast<const sockaddr*>(message.msg_name);
  return ::sendto(descriptor, part.iov_base, part.iov_len, 0, to, message.msg_namelen) < 0 ? -1 : 1;
}

// EIO: the socket's device has no checksums for it. EINVAL, EMSGSIZE: the segments are too large for the route.
void SendBatch::send_one_by_one(std::size_t index, int error) noexcept {
  const Run& run = runs_[index];
  ++counters_.segment_fallbacks;
  if (error == EIO) {
    run.socket->give_up_segments();
  } else {
    unsegmentable_[place_of(keys_[index], unsegmentable_.size())] = keys_[index];
  }
  write_controls(index, false);
  msghdr message = messages_[index].msg_hdr;
  controls_[index].attach_to(message);
  for (Index i = run.first; i != kNone; i = datagrams_[i].next) {
    message.msg_iovlen = datagrams_[i].parts();
    if (::sendmsg(run.socket->descriptor(), &message, 0) < 0) ++counters_.failures;
    message.msg_iov += message.msg_iovlen;
  }
}

}  // namespace causeway::net
