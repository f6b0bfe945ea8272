// SPDX-License-Identifier: Apache-2.0
// Tries a STUN or TURN server step by step, as a client would use it, and says of each step what came out.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "probe/connect.hpp"
#include "probe/probe_uri.hpp"
#include "probe/report.hpp"
#include "probe/stun_client.hpp"

namespace causeway::probe {

struct ProbeOptions {
  ProbeUri uri;
  std::optional<Credential> credential;
  std::optional<Endpoint> peer;  // sends back what it gets; absent: a second allocation on the same server
  CertificateCheck certificate_check;
  std::chrono::seconds timeout{10};  // of each step
};

// Of a name with IPv4 and IPv6 addresses both families are tried, each up to its first step that failed.
std::vector<Step> run(const ProbeOptions& options);

}  // namespace causeway::probe
