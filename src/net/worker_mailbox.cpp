// SPDX-License-Identifier: Apache-2.0
#include "net/worker_mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace causeway::net {

WorkerMailbox::WorkerMailbox(std::size_t workers) : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), rings_(workers) {
  if (event_ < 0) throw std::system_error(errno, std::generic_category(), "Cannot make an event descriptor");
}

WorkerMailbox::~WorkerMailbox() {
  ::close(event_);
}

bool WorkerMailbox::post(turn::WorkerIndex from, const WorkerMail& mail, Bytes packet) noexcept {
  if (!rings_[from].write(mail, packet)) return false;
  notify();
  return true;
}

// Whoever finds it set was before the receiver's exchange, which then sees what was written before.
void WorkerMailbox::notify() noexcept {
  if (!is_notified_.exchange(true, std::memory_order_acq_rel)) ::eventfd_write(event_, 1);
}

void WorkerMailbox::begin_collecting() noexcept {
  eventfd_t ignored{};
  ::eventfd_read(event_, &ignored);
  is_notified_.exchange(false, std::memory_order_acq_rel);
}

void WorkerMailbox::release() noexcept {
  for (MailRing& ring : rings_)
    ring.release();
}

}  // namespace causeway::net
