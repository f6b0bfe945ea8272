// SPDX-License-Identifier: Apache-2.0
// What all other workers' TURN has handed to one worker's, read in the rounds of its DatagramLoop like a socket.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "net/mail_ring.hpp"

namespace causeway::net {

class WorkerMailbox {
 public:
  static constexpr std::size_t kLettersMax = 64;  // of one sender that collect() hands over at once

  // One ring for each of so many workers. Throws std::system_error when there is no descriptor left.
  explicit WorkerMailbox(std::size_t workers);
  ~WorkerMailbox();
  WorkerMailbox(const WorkerMailbox&) = delete;
  WorkerMailbox& operator=(const WorkerMailbox&) = delete;

  // Readable while there is something to collect.
  int descriptor() const noexcept { return event_; }

  // On the thread of the worker `from`. False: it has too much waiting here.
  bool post(turn::WorkerIndex from, const WorkerMail& mail, Bytes packet) noexcept;

  // On the owner's thread, as release(): calls handle(letter) with each, in the order of its sender. The octets stay
  // until release().
  template <class Handle>
  void collect(Handle handle) {
    begin_collecting();
    bool has_more = false;
    for (MailRing& ring : rings_) {
      std::size_t letters = 0;
      while (letters < kLettersMax) {
        const auto letter = ring.read();
        if (!letter) break;
        handle(*letter);
        ++letters;
      }
      has_more = has_more || letters == kLettersMax;
    }
    if (has_more) notify();
  }
  void release() noexcept;

 private:
  void begin_collecting() noexcept;
  void notify() noexcept;

  int event_;
  std::atomic<bool> is_notified_{false};
  std::vector<MailRing> rings_;
};

}  // namespace causeway::net
