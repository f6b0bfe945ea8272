// SPDX-License-Identifier: Apache-2.0
// What the replay buffers of all members keep, in octets. A message that several buffers keep is charged once: to the
// source that caused it, and within it to its room. When all is more than the limit, the largest holder loses its
// oldest messages first, from all buffers (FairPool): whoever fills the pool takes nothing from others. The Hub owns
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/fair_pool.hpp"
#include "causeway/signaling/message.hpp"

namespace causeway::signaling {

class ReplayPool {
 public:
  // Octets of a buffer's reference to a message, charged for each.
  static constexpr std::size_t kReferenceBytes = 32;

  // One message, owned by the buffers that keep it.
  class Kept : public FairPool::Item {
   public:
    Kept(ReplayPool& pool, std::shared_ptr<const ServerMessage> message);
    ~Kept() { pool_.shares_.remove(*this); }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    // nullptr: the pool was short and has dropped it.
    const std::shared_ptr<const ServerMessage>& message() const noexcept { return message_; }
    std::size_t bytes() const noexcept { return bytes_; }

   private:
    friend class ReplayPool;
    ReplayPool& pool_;
    std::shared_ptr<const ServerMessage> message_;
    std::size_t bytes_;
  };

  ReplayPool(std::size_t bytes_max, std::uint64_t hash_seed) : bytes_max_(bytes_max), shares_(hash_seed) {}

  // For one more buffer. The receivers of a broadcast come one after the other, with the same object. `room` tells the
  // rooms apart in which one source causes messages.
  std::shared_ptr<const Kept> keep(const std::shared_ptr<const ServerMessage>& message, const IpAddress& source,
                                   const void* room);

  std::size_t bytes() const noexcept { return shares_.amount(); }
  std::uint64_t dropped() const noexcept { return dropped_; }  // messages, because the pool was short

 private:
  const std::size_t bytes_max_;
  FairPool shares_;
  std::weak_ptr<Kept> latest_;
  std::uint64_t dropped_ = 0;
};

}  // namespace causeway::signaling
