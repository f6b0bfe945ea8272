// SPDX-License-Identifier: Apache-2.0
#include "probe/nat_behaviour.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/message.hpp"
#include "net/endpoint_conversion.hpp"
#include "probe/advice.hpp"
#include "probe/socket.hpp"

namespace causeway::probe {
namespace {

using stun::AttributeType;

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kPatience{500};

// RFC 5780 §7.2: from which address the answer shall come.
constexpr std::uint32_t kSameAddress = 0;
constexpr std::uint32_t kChangePort = 2;
constexpr std::uint32_t kChangeAddressAndPort = 6;

// One local port, from which several addresses are asked.
class Asker {
 public:
  static Result<Asker, ProbeError> open(AddressFamily family, RandomSource& random) {
    auto socket = Socket::unconnected(family);
    if (!socket) return socket.error();
    return Asker{std::move(*socket), random};
  }

  // The mapped address that `server` sees; nullopt: no answer.
  std::optional<Endpoint> ask(const Endpoint& server, std::uint32_t change = kSameAddress) {
    std::array<std::uint8_t, 64> buffer{};
    stun::TransactionId id{};
    random_.fill(id);
    stun::MessageBuilder builder{buffer, stun::Method::kBinding, stun::MessageClass::kRequest, id};
    if (change != kSameAddress) builder.add_u32(AttributeType::kChangeRequest, change);
    sockaddr_storage address{};
    const socklen_t size = net::to_sockaddr(server, address);
    const Bytes request = builder.finish();
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      ::sendto(socket_.descriptor(), request.data(), request.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size);
      if (const auto mapped = await(id)) return mapped;
    }
    return std::nullopt;
  }

 private:
  Asker(Socket socket, RandomSource& random) : socket_(std::move(socket)), random_(random) {}

  std::optional<Endpoint> await(const stun::TransactionId& id) {
    const TimePoint deadline = read_clock().steady + kPatience;
    std::array<std::uint8_t, 1500> octets{};
    while (socket_.wait(POLLIN, deadline)) {
      const ssize_t size = ::recv(socket_.descriptor(), octets.data(), octets.size(), 0);
      if (size <= 0) continue;  // an ICMP error of an earlier packet
      const auto view = stun::MessageView::parse(Bytes{octets}.first(static_cast<std::size_t>(size)));
      if (!view || view->transaction_id() != id || view->message_class() != stun::MessageClass::kSuccessResponse) {
        continue;
      }
      const auto mapped = view->value(AttributeType::kXorMappedAddress);
      if (mapped) return stun::read_xor_address(*mapped, id);
    }
    return std::nullopt;
  }

  Socket socket_;
  RandomSource& random_;
};

// §4.3
std::string mapping(Asker& asker, const Endpoint& server, const Endpoint& other, const Endpoint& mapped) {
  const auto other_address = asker.ask({other.address, server.port});
  if (!other_address) return "of unknown mapping, because the other address does not answer";
  if (*other_address == mapped) return "endpoint-independent mapping";
  const auto other_port = asker.ask(other);
  if (!other_port) return "of unknown mapping, because the other port does not answer";
  return *other_port == *other_address ? "address-dependent mapping"
                                       : "address- and port-dependent mapping (symmetric: many calls need the relay)";
}

// §4.4, from a port that has not talked to the other address yet.
std::string filtering(Asker& asker, const Endpoint& server) {
  if (asker.ask(server, kChangeAddressAndPort)) return "endpoint-independent filtering";
  return asker.ask(server, kChangePort) ? "address-dependent filtering" : "address- and port-dependent filtering";
}

}  // namespace

Outcome nat_behaviour(const Endpoint& server, const Endpoint& other, RandomSource& random) {
  const AddressFamily family = server.address.family();
  auto first = Asker::open(family, random);
  if (!first) return first.error();
  auto second = Asker::open(family, random);
  if (!second) return second.error();
  const auto mapped = first->ask(server);
  if (!mapped || !second->ask(server)) return describe_silence(false, kAttempts);
  std::string behaviour = mapping(*first, server, other, *mapped);
  behaviour += ", " + filtering(*second, server);
  const auto local = Socket::connect(SOCK_DGRAM, server, read_clock().steady);
  const bool is_own = local && local->local_address() == mapped->address;
  return is_own ? "no NAT on the way to this server; " + behaviour : behaviour;
}

}  // namespace causeway::probe
