// SPDX-License-Identifier: Apache-2.0
// What a turn of packets runs on: paths through one server, each with a link that sends, and the links where they
// arrive.
#pragma once

#include <cstdint>
#include <vector>

#include "load/link.hpp"
#include "load/workload.hpp"

namespace causeway::load {

class Paths {
 public:
  explicit Paths(const ServerUnderLoad& server);
  ~Paths();
  Paths(const Paths&) = delete;
  Paths& operator=(const Paths&) = delete;

  int epoll() const noexcept { return epoll_; }  // of all links; data.ptr is the Link
  std::size_t size() const noexcept { return senders_.size(); }
  Link& sender(std::size_t path) noexcept { return *senders_[path]; }
  const ServerClock& server_clock() const noexcept { return server_clock_; }

  void add(Link& sender) { senders_.push_back(&sender); }
  void watch(Link& link, std::uint32_t events);  // until its socket is closed

 private:
  ServerClock server_clock_;
  int epoll_;
  std::vector<Link*> senders_;
};

}  // namespace causeway::load
