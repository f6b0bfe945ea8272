// SPDX-License-Identifier: Apache-2.0
#include "load/paths.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include "load/socket_address.hpp"

namespace causeway::load {

Paths::Paths(const ServerUnderLoad& server)
    : server_clock_(server), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

Paths::~Paths() {
  ::close(epoll_);
}

void Paths::watch(Link& link, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &link;
  check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, link.descriptor(), &event), "epoll_ctl");
}

}  // namespace causeway::load
