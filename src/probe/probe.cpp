// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include "net/system_random.hpp"
#include "probe/resolve.hpp"
#include "probe/server_probe.hpp"

namespace causeway::probe {
namespace {

constexpr int kRedirectionsMax = 3;

// This machine cannot reach any address of the family.
bool is_unroutable(const ProbeError& error) {
  return error.system_error == ENETUNREACH || error.system_error == EADDRNOTAVAIL || error.system_error == EAFNOSUPPORT;
}

std::vector<Endpoint> of_family(const std::vector<Endpoint>& servers, AddressFamily family) {
  std::vector<Endpoint> found;
  std::copy_if(servers.begin(), servers.end(), std::back_inserter(found),
               [family](const Endpoint& server) { return server.address.family() == family; });
  return found;
}

class Probe {
 public:
  explicit Probe(const ProbeOptions& options) : options_(options) {}

  std::vector<Step> run() {
    if (!report_.step("resolve", [this] { return resolve_host(); })) return report_.take();
    const auto v4 = of_family(servers_, AddressFamily::kIPv4);
    const auto v6 = of_family(servers_, AddressFamily::kIPv6);
    const bool both = !v4.empty() && !v6.empty();
    const bool v4_was_tried = !v4.empty() && probe_one_of(v4, both);
    if (!v6.empty()) probe_one_of(v6, both && v4_was_tried);
    return report_.take();
  }

 private:
  Outcome resolve_host() {
    auto resolved = resolve(options_.uri);
    if (!resolved) return resolved.error();
    servers_ = std::move(resolved->servers);
    options_.uri.transport = resolved->transport;
    std::string detail;
    for (const Endpoint& server : servers_)
      detail += (detail.empty() ? "" : ", ") + server.to_string();
    return detail + (resolved->how.empty() ? "" : " (" + resolved->how + ")");
  }

  // Each address in turn, as clients do; the one that answers a Binding request is probed further. False where this
  // machine cannot reach any, which is an excuse if there is another family.
  bool probe_one_of(const std::vector<Endpoint>& servers, bool may_be_skipped) {
    std::string failures;
    for (const Endpoint& server : servers) {
      const std::size_t before = report_.size();
      ServerProbe probe{report_, options_, server, random_};
      const bool reached = probe.reach();
      if (!failures.empty() && (reached || server == servers.back())) {
        report_.last().detail += "; before that " + failures;
      }
      if (reached) {
        probe.use(kRedirectionsMax);
        return true;
      }
      if (server == servers.back()) break;
      failures += (failures.empty() ? "" : "; ") + server.to_string() + " failed: " + report_.last().detail;
      report_.forget_from(before);
    }
    if (!is_unroutable(report_.error())) return true;
    if (may_be_skipped) {
      report_.excuse(StepResult::kSkipped, report_.last().detail + "; this machine has no way to such addresses");
    }
    return false;
  }

  ProbeOptions options_;
  net::SystemRandom random_;
  Report report_;
  std::vector<Endpoint> servers_;
};

}  // namespace

std::vector<Step> run(const ProbeOptions& options) {
  return Probe{options}.run();
}

}  // namespace causeway::probe
