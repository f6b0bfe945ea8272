// SPDX-License-Identifier: Apache-2.0
#include "app/line_writer.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "net/system_clock.hpp"

namespace causeway::app {
namespace {

constexpr int kPatienceMilliseconds = 100;
constexpr std::chrono::milliseconds kGrace{200};  // for a thread that is about to end

// The thread that writes handles no signal.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

bool write_until(int descriptor, std::string_view text, const std::function<bool()>& is_over) {
  while (!text.empty()) {
    pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int polled = ::poll(&ready, 1, kPatienceMilliseconds);
    if (polled < 0 && errno != EINTR) return false;
    if (polled <= 0) {
      if (is_over()) return false;
      continue;
    }
    const ssize_t written = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if ((errno != EINTR && errno != EAGAIN) || is_over()) {
      return false;
    }
  }
  return true;
}

bool write_within(int descriptor, std::string_view text, std::chrono::milliseconds time) {
  const TimePoint end = read_clock().steady + time;
  return write_until(descriptor, text, [end] { return read_clock().steady >= end; });
}

struct LineWriter::Shared {
  Shared(int to, DescribeLoss describe, std::size_t bytes_max)
      : descriptor(to), describe_loss(std::move(describe)), waiting_bytes_max(bytes_max) {}

  const int descriptor;
  const DescribeLoss describe_loss;
  const std::size_t waiting_bytes_max;

  std::mutex mutex;  // of all that follows
  std::condition_variable changed;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  std::uint64_t lost = 0;
  std::uint64_t lost_unsaid = 0;
  std::optional<TimePoint> finish_at;
  bool is_writing = false;
  bool has_ended = false;

  void lose(std::uint64_t lines) {
    lost += lines;
    lost_unsaid += lines;
  }
  bool is_over() {
    const std::lock_guard lock(mutex);
    return finish_at && read_clock().steady >= *finish_at;
  }
  // As many lines as one write takes, with what has to be said of lost ones in front.
  std::pair<std::string, std::uint64_t> take(std::unique_lock<std::mutex>& lock);
};

std::pair<std::string, std::uint64_t> LineWriter::Shared::take(std::unique_lock<std::mutex>& lock) {
  std::string text;
  std::uint64_t lines = 0;
  if (const std::uint64_t unsaid = std::exchange(lost_unsaid, 0); unsaid > 0) {
    lock.unlock();
    text = describe_loss(unsaid);
    lock.lock();
  }
  while (!waiting.empty() && (text.empty() || text.size() + waiting.front().size() <= PIPE_BUF)) {
    waiting_bytes -= waiting.front().size();
    text += waiting.front();
    waiting.pop_front();
    ++lines;
  }
  return {std::move(text), lines};
}

LineWriter::LineWriter(int descriptor, DescribeLoss describe_loss, std::size_t waiting_bytes_max)
    : shared_(std::make_shared<Shared>(descriptor, std::move(describe_loss), waiting_bytes_max)) {
  const BlockedSignals blocked;
  thread_ = std::thread([shared = shared_] { run(shared); });
}

LineWriter::~LineWriter() {
  finish(kFinishTime);
}

void LineWriter::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return !shared->waiting.empty() || shared->finish_at; });
    if (shared->waiting.empty()) break;
    shared->is_writing = true;
    const auto [text, lines] = shared->take(lock);
    lock.unlock();
    const bool is_written = write_until(shared->descriptor, text, [&] { return shared->is_over(); });
    lock.lock();
    shared->is_writing = false;
    if (shared->waiting.empty()) shared->changed.notify_all();
    if (!is_written) shared->lose(lines);
    if (!is_written && shared->finish_at) break;
  }
  shared->has_ended = true;
  shared->changed.notify_all();
}

void LineWriter::write(std::string line) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->finish_at || line.size() > shared_->waiting_bytes_max) return shared_->lose(1);
  while (shared_->waiting_bytes + line.size() > shared_->waiting_bytes_max) {
    shared_->waiting_bytes -= shared_->waiting.front().size();
    shared_->waiting.pop_front();
    shared_->lose(1);
  }
  shared_->waiting_bytes += line.size();
  shared_->waiting.push_back(std::move(line));
  if (shared_->waiting.size() == 1) shared_->changed.notify_all();
}

void LineWriter::wait_written(std::chrono::milliseconds time) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_until(lock, read_clock().steady + time,
                              [&] { return shared_->has_ended || (shared_->waiting.empty() && !shared_->is_writing); });
}

void LineWriter::finish(std::chrono::milliseconds time) {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->finish_at = read_clock().steady + time;
  shared_->changed.notify_all();
  const bool has_ended = shared_->changed.wait_until(lock, *shared_->finish_at + kGrace,  //
                                                     [&] { return shared_->has_ended; });
  lock.unlock();
  // Another process that shares the pipe may have filled it between poll() and write(): then nothing ends the thread.
  has_ended ? thread_.join() : thread_.detach();
}

std::uint64_t LineWriter::lost() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

}  // namespace causeway::app
