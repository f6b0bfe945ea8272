// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/replay_pool.hpp"

#include <utility>

namespace causeway::signaling {

ReplayPool::Kept::Kept(ReplayPool& pool, std::shared_ptr<const ServerMessage> message)
    : pool_(pool), message_(std::move(message)), bytes_(approximate_bytes(*message_)) {}

std::shared_ptr<const ReplayPool::Kept> ReplayPool::keep(const std::shared_ptr<const ServerMessage>& message,
                                                         const IpAddress& source, const void* room) {
  std::shared_ptr<Kept> kept = latest_.lock();
  if (kept && kept->message_ == message) {
    shares_.grow(*kept, kReferenceBytes);
  } else {
    kept = std::make_shared<Kept>(*this, message);
    // The number of a room is good while something of it is kept, which the room outlives.
    shares_.add(*kept, source, reinterpret_cast<std::uintptr_t>(room), kept->bytes_ + kReferenceBytes);
    latest_ = kept;
  }
  while (shares_.amount() > bytes_max_) {
    auto& oldest = static_cast<Kept&>(*shares_.oldest_of_largest());
    shares_.remove(oldest);
    oldest.message_.reset();
    ++dropped_;
  }
  return kept;
}

}  // namespace causeway::signaling
