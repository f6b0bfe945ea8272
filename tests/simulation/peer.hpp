// SPDX-License-Identifier: Apache-2.0
// A host without a TURN client, on the open Internet or behind a NAT that it learns of by Binding requests. It answers
// some of what it gets, as the other end of a call does.
#pragma once

#include <memory>

#include "causeway/stun/attributes.hpp"
#include "party.hpp"
#include "payload.hpp"

namespace causeway::simulation {

class Peer : public Party {
 public:
  Peer(World& world, std::uint32_t number, const Endpoint& inside, bool behind_nat)
      : Party(number), world_(world), inside_(inside), behind_nat_(behind_nat) {
    world.network.open(inside, [this](const Endpoint& from, const Endpoint&, Bytes bytes) { receive(from, bytes); });
    if (behind_nat) ask_for_address();
  }

  std::optional<Endpoint> candidate(AddressFamily family) const override {
    if (family != inside_.address.family()) return std::nullopt;
    return behind_nat_ ? reflexive_ : inside_;
  }
  bool owns_candidate() const override { return true; }
  // It writes first, again and again, which opens its NAT for the answers and keeps it open.
  void invite(const Endpoint& from, TimePoint until) override {
    if (world_.queue.time() >= until) return;
    send(from);
    world_.queue.after(std::chrono::seconds{20}, [this, from, until] { invite(from, until); });
  }

 private:
  void send(const Endpoint& to) {
    const std::size_t size = world_.random.between(kPayloadBytesMin, 160);
    world_.network.send(inside_, to, write_payload({0, world_.next_serial++}, size));
  }
  void ask_for_address() {
    if (world_.ending) return;
    std::array<std::uint8_t, 64> buffer{};
    stun::TransactionId id{};
    world_.random.fill(id);
    stun::MessageBuilder request{buffer, stun::Method::kBinding, stun::MessageClass::kRequest, id};
    const Bytes bytes = request.finish();
    const Endpoint server{world_.server.at(inside_.address.family()), 3478};
    world_.network.send(inside_, server, {bytes.begin(), bytes.end()});
    world_.queue.after(std::chrono::seconds{reflexive_ ? 25 : 3}, [this] { ask_for_address(); });
  }
  void receive(const Endpoint& from, Bytes bytes) {
    if (from.port == 3478) {
      const auto message = stun::MessageView::parse(bytes);
      require(message.has_value(), "a peer got something from the server's listener that is not STUN");
      const auto mapped = message->value(stun::AttributeType::kXorMappedAddress);
      reflexive_ = stun::read_xor_address(mapped.value(), message->transaction_id());
      return;
    }
    const auto payload = read_payload(bytes);
    require(payload.has_value(), "a peer got data that nobody sent");
    require(payload->addressee == number() || payload->addressee == 0, "a peer got data that was meant for another");
    ++world_.statistics.data_at_peers;
    if (world_.random.chance(0.4)) send(from);
  }

  World& world_;
  Endpoint inside_;
  bool behind_nat_;
  std::optional<Endpoint> reflexive_;
};

}  // namespace causeway::simulation
