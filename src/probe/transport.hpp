// SPDX-License-Identifier: Apache-2.0
// A way to one server that carries whole STUN and ChannelData messages. Every call blocks until its deadline at most:
// the probe is a command, and nothing else runs beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "causeway/base/bytes.hpp"
#include "causeway/base/endpoint.hpp"
#include "causeway/base/result.hpp"
#include "causeway/base/time.hpp"

namespace causeway::probe {

// What went wrong, and what to do about it: two sentences without a full stop at the end.
struct ProbeError {
  ProbeError() = default;
  ProbeError(std::string what, std::string what_to_do) : detail(std::move(what)), advice(std::move(what_to_do)) {}

  std::string detail;
  std::string advice;
  int system_error = 0;                        // errno, where that is the reason
  std::uint16_t code = 0;                      // of an error response
  bool is_silence = false;                     // nothing came back, on a way that seems to be open
  std::optional<Endpoint> alternate_server{};  // of a 300 (RFC 8489 §10)
  std::string alternate_domain{};
};

class Transport {
 public:
  virtual ~Transport() = default;
  // TCP and TLS repeat what is lost by themselves.
  virtual bool is_reliable() const noexcept = 0;
  virtual std::optional<ProbeError> send(Bytes message, TimePoint deadline) = 0;
  // The next message, nullopt when none has come by the deadline.
  virtual Result<std::optional<std::vector<std::uint8_t>>, ProbeError> receive(TimePoint deadline) = 0;
};

}  // namespace causeway::probe
