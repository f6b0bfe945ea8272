// SPDX-License-Identifier: Apache-2.0
// What one worker's TURN hands to another's, and the bounded box it is collected from. A full box loses it, as a
// network does.
#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/traffic_class.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/server.hpp"
#include "causeway/turn/worker_index.hpp"
#include "net/asio.hpp"

namespace causeway::net {

// A packet with the room around it that turn::Server asks for.
class MailedPacket {
 public:
  explicit MailedPacket(Bytes bytes)
      : size_(bytes.size()), octets_(turn::Server::kHeadroomBytes + bytes.size() + turn::Server::kTailroomBytes) {
    std::copy(bytes.begin(), bytes.end(), octets_.begin() + turn::Server::kHeadroomBytes);
  }
  MutableBytes bytes() noexcept { return MutableBytes{octets_}.subspan(turn::Server::kHeadroomBytes, size_); }

 private:
  std::size_t size_;
  std::vector<std::uint8_t> octets_;
};

struct ClientPacketMail {  // of a client whose allocation the receiver has
  turn::WorkerIndex from;
  turn::ClientRef client;
  MailedPacket packet;
  TrafficClass traffic_class{};
};
struct RelayedMail {  // from one relayed address to another
  Endpoint from;
  Endpoint to;
  MailedPacket payload;
  TrafficClass traffic_class{};
};
struct DtlsMail {  // for a client whose DTLS session the receiver has
  turn::ClientRef client;
  MailedPacket message;
};
struct ClientGivenBackMail {  // it has no allocation at the sender
  turn::FiveTuple client;
};
struct ClientGoneMail {  // its DTLS session has ended
  turn::FiveTuple client;
};
using WorkerMail = std::variant<ClientPacketMail, RelayedMail, DtlsMail, ClientGivenBackMail, ClientGoneMail>;

class WorkerMailbox {
 public:
  static constexpr std::size_t kMailMax = 4096;
  using Deliver = std::function<void(WorkerMail&)>;

  // `deliver` is called on the loop of `executor`. The box outlives every run of it.
  WorkerMailbox(asio::any_io_executor executor, Deliver deliver)
      : executor_(std::move(executor)), deliver_(std::move(deliver)) {}

  const asio::any_io_executor& executor() const noexcept { return executor_; }

  // From any thread. False: the box is full.
  bool post(WorkerMail mail) {
    bool is_first = false;
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.size() >= kMailMax) return false;
      is_first = waiting_.empty();
      waiting_.push_back(std::move(mail));
    }
    if (is_first) asio::post(executor_, [this] { collect(); });
    return true;
  }

 private:
  void collect() {
    collected_.clear();
    {
      const std::lock_guard lock{mutex_};
      std::swap(collected_, waiting_);
    }
    for (WorkerMail& mail : collected_)
      deliver_(mail);
    collected_.clear();
  }

  asio::any_io_executor executor_;
  Deliver deliver_;
  std::mutex mutex_;
  std::vector<WorkerMail> waiting_;
  std::vector<WorkerMail> collected_;
};

}  // namespace causeway::net
