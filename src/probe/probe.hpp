// SPDX-License-Identifier: Apache-2.0
// Tries a STUN or TURN server step by step, as a client would use it, and says of each step what came out.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "probe/connect.hpp"
#include "probe/probe_uri.hpp"
#include "probe/stun_client.hpp"

namespace causeway::probe {

struct Step {
  std::string name;  // "resolve", "connect", "binding", "allocate", …
  bool ok = false;
  std::chrono::duration<double, std::milli> time{};
  std::string detail;
  std::string advice;  // empty where it is ok
};

struct ProbeOptions {
  ProbeUri uri;
  std::optional<Credential> credential;
  std::optional<Endpoint> peer;  // sends back what it gets; absent: a second allocation on the same server
  CertificateCheck certificate_check;
  std::chrono::seconds timeout{10};  // of each step
};

// The steps up to the first that failed.
std::vector<Step> run(const ProbeOptions& options);

}  // namespace causeway::probe
