// SPDX-License-Identifier: Apache-2.0
// The mail of one worker to one other, between two threads without a lock: the sender writes, the receiver reads.
// Bounded like the buffer of a socket; what finds it full is lost, as on any network. Allocates nothing after its
// making.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "causeway/base/bytes.hpp"
#include "net/worker_mail.hpp"

namespace causeway::net {

class MailRing {
 public:
  static constexpr std::size_t kBytes = 1 << 20;  // the memory is used from the first mail on

  struct Letter {
    WorkerMail mail;
    MutableBytes packet;  // with the room around it that turn::Server asks for
  };

  MailRing();

  // By the sender. False: it is full. `packet` has at most 65,535 octets.
  bool write(const WorkerMail& mail, Bytes packet) noexcept;

  // By the receiver. The octets of what was read stay until release().
  std::optional<Letter> read() noexcept;
  void release() noexcept { released_.store(read_, std::memory_order_release); }

 private:
  struct Record;

  std::unique_ptr<std::byte[]> octets_;
  // Positions only grow; the place in the ring is what is left of them modulo kBytes.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> released_{0};
  std::uint64_t read_ = 0;  // the receiver's
};

}  // namespace causeway::net
