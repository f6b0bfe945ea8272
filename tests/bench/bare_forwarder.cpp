// SPDX-License-Identifier: Apache-2.0
// What a relay costs when it does nothing but relay: one epoll set, one recvfrom and one sendto for each packet, a
// table that is never asked anything but "who is this?". No STUN, no permissions, no time-outs. A yardstick for
// `./dev bench relay`, and of no use otherwise.
//
// A client tells it what to do by datagrams that begin with 0xFF: "a" opens a relay socket for the client and is
// answered with its port; "b" CHANNEL ADDRESS PORT names the channel and the peer.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr std::size_t kHeaderBytes = 4;

struct Flow {
  int relay = -1;
  std::array<std::uint8_t, kHeaderBytes> channel{};  // and room for the length
  sockaddr_in client{}, peer{};
};

int open_socket(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int buffer_bytes = 4 << 20;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) != 0)
    (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (descriptor < 0 || ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("bare_forwarder");
    std::exit(1);
  }
  return descriptor;
}

class Forwarder {
 public:
  explicit Forwarder(std::uint16_t port) : listener_(open_socket(port)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* flow = static_cast<Flow*>(events[static_cast<std::size_t>(i)].data.ptr);
        flow == nullptr ? from_client() : from_peer(*flow);
      }
    }
  }

 private:
  void watch(int descriptor, Flow* flow) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = flow;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  // All clients are on loopback: address and port of one make a small number.
  std::unique_ptr<Flow>& flow_of(const sockaddr_in& client) {
    auto& row = flows_[ntohl(client.sin_addr.s_addr) & 0xFF];
    if (row.empty()) row.resize(65536);
    return row[ntohs(client.sin_port)];
  }

  // The listener has more than one packet at a time: it is read as often as there would have been relay sockets.
  void from_client() {
    for (int i = 0; i < 32; ++i) {
      sockaddr_in client{};
      socklen_t bytes_of_client = sizeof client;
      const auto bytes = ::recvfrom(listener_, buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr*>(&client),
                                    &bytes_of_client);
      if (bytes < static_cast<ssize_t>(kHeaderBytes)) return;
      auto& flow = flow_of(client);
      if (buffer_[0] == 0xFF)
        instruct(flow, client);
      else if (flow)
        (void)::sendto(flow->relay, buffer_.data() + kHeaderBytes, static_cast<std::size_t>(bytes) - kHeaderBytes, 0,
                       reinterpret_cast<const sockaddr*>(&flow->peer), sizeof flow->peer);
    }
  }

  void from_peer(Flow& flow) {
    const auto bytes =
        ::recvfrom(flow.relay, buffer_.data() + kHeaderBytes, buffer_.size() - kHeaderBytes, 0, nullptr, nullptr);
    if (bytes < 0) return;
    flow.channel[2] = static_cast<std::uint8_t>(bytes >> 8);
    flow.channel[3] = static_cast<std::uint8_t>(bytes);
    std::memcpy(buffer_.data(), flow.channel.data(), kHeaderBytes);
    (void)::sendto(listener_, buffer_.data(), static_cast<std::size_t>(bytes) + kHeaderBytes, 0,
                   reinterpret_cast<const sockaddr*>(&flow.client), sizeof flow.client);
  }

  void instruct(std::unique_ptr<Flow>& flow, const sockaddr_in& client) {
    if (buffer_[1] == 'a' && !flow) {
      flow = std::make_unique<Flow>();
      flow->client = client;
      flow->relay = open_socket(0);
      watch(flow->relay, flow.get());
    } else if (buffer_[1] == 'b' && flow) {
      std::memcpy(flow->channel.data(), buffer_.data() + 2, 2);
      flow->peer.sin_family = AF_INET;
      std::memcpy(&flow->peer.sin_addr, buffer_.data() + 4, 4);
      std::memcpy(&flow->peer.sin_port, buffer_.data() + 8, 2);
    }
    if (!flow) return;
    sockaddr_in relayed{};
    socklen_t bytes = sizeof relayed;
    ::getsockname(flow->relay, reinterpret_cast<sockaddr*>(&relayed), &bytes);
    std::memcpy(buffer_.data() + 2, &relayed.sin_port, 2);
    (void)::sendto(listener_, buffer_.data(), 4, 0, reinterpret_cast<const sockaddr*>(&client), sizeof client);
  }

  int listener_, epoll_;
  std::array<std::vector<std::unique_ptr<Flow>>, 256> flows_;
  std::array<std::uint8_t, 65536> buffer_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "bare_forwarder PORT\n");
    return 1;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Forwarder{static_cast<std::uint16_t>(std::atoi(arguments[1]))}.run();
}
