// SPDX-License-Identifier: Apache-2.0
// What one client asks of a server before the load runs: an allocation with a channel or a permission. Each call blocks
// until the server has answered, and throws std::runtime_error where it refuses.
#pragma once

#include <cstdint>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "load/long_term_session.hpp"
#include "load/relay_link.hpp"

namespace causeway::load {

class RelaySetup {
 public:
  virtual ~RelaySetup() = default;
  virtual Endpoint allocate() = 0;  // the relayed address
  virtual void bind_channel(std::uint16_t channel, const Endpoint& peer) = 0;
  virtual void permit(const Endpoint& peer) = 0;
  // At the end, over UDP; does not wait for an answer. Who comes from the same port later finds nothing there.
  virtual void release() = 0;
};

// With long-term credentials: 401, then the same with the nonce (RFC 8489 §9.2.3).
class TurnSetup final : public RelaySetup {
 public:
  TurnSetup(RelayLink& link, const Account& account) : link_(link), session_(account) {}
  Endpoint allocate() override;
  void bind_channel(std::uint16_t channel, const Endpoint& peer) override;
  void permit(const Endpoint& peer) override;
  void release() override;

 private:
  RelayLink& link_;
  LongTermSession session_;

  template <class Fill>
  std::vector<std::uint8_t> transact(stun::Method method, Fill fill);
};

// The messages of tests/bench/bare_forwarder.cpp: 0xFF, what is asked for, a port.
class BareSetup final : public RelaySetup {
 public:
  explicit BareSetup(RelayLink& link) : link_(link) {}
  Endpoint allocate() override;
  void bind_channel(std::uint16_t channel, const Endpoint& peer) override;
  void permit(const Endpoint& peer) override;
  void release() override {}

 private:
  RelayLink& link_;
};

}  // namespace causeway::load
