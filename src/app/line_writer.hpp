// SPDX-License-Identifier: Apache-2.0
// Writes lines to a descriptor from a thread of its own, so that a reader who does not read stops nobody who logs. What
// waits is bounded; beyond it the oldest lines are lost, counted, and a line in their place says how many.
//
// write() may be called from any thread and takes a short lock, never waits. Lines appear in the order of the calls.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace causeway::app {

// Writes as much of `text` as the descriptor takes until `is_over` returns true, which is asked ten times a second
// while the descriptor takes nothing. False: the rest is lost. Does not change the flags of the descriptor, which other
// processes may share: it writes what a pipe takes at once (PIPE_BUF).
bool write_until(int descriptor, std::string_view text, const std::function<bool()>& is_over);
bool write_within(int descriptor, std::string_view text, std::chrono::milliseconds time);

class LineWriter {
 public:
  static constexpr std::size_t kWaitingBytesMax = 1024 * 1024;
  static constexpr std::chrono::milliseconds kFinishTime{1000};

  // Makes the line that stands for lost ones; called on the writer's thread. Empty: none.
  using DescribeLoss = std::function<std::string(std::uint64_t lines)>;

  // `descriptor` stays open for as long as the process may write.
  LineWriter(int descriptor, DescribeLoss describe_loss, std::size_t waiting_bytes_max = kWaitingBytesMax);
  ~LineWriter();  // finish(kFinishTime)
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void write(std::string line);  // with its end of line
  // Returns when all lines are written, at the latest after `time`. From any thread.
  void wait_written(std::chrono::milliseconds time);
  // The same, and ends the thread: what still waits then is lost, and so is what comes later. Its owner calls it.
  void finish(std::chrono::milliseconds time);

  std::uint64_t lost() const;  // lines, since the start

 private:
  struct Shared;  // with the thread, which may outlive the writer when the system does not let go of it
  static void run(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace causeway::app
