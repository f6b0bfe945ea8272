// SPDX-License-Identifier: Apache-2.0
#include "probe/srv.hpp"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace causeway::probe {
namespace {

constexpr int kTargetsMax = 16;
constexpr std::size_t kFixedBytes = 6;  // priority, weight, port

}  // namespace

std::vector<SrvTarget> parse_srv_answer(Bytes answer) {
  ns_msg message{};
  if (::ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) return {};
  std::vector<SrvTarget> targets;
  for (int i = 0; i < std::min<int>(ns_msg_count(message, ns_s_an), kTargetsMax); ++i) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_srv) continue;
    if (ns_rr_rdlen(record) <= kFixedBytes) continue;
    const std::uint8_t* value = ns_rr_rdata(record);
    std::array<char, NS_MAXDNAME> host{};
    const int expanded =
        ::dn_expand(ns_msg_base(message), ns_msg_end(message), value + kFixedBytes, host.data(), host.size());
    // RFC 2782: a target of "." says that the service is not there.
    if (expanded < 0 || host.front() == 0) continue;
    targets.push_back({load_be16(value), load_be16(value + 2), load_be16(value + 4), host.data()});
  }
  std::stable_sort(targets.begin(), targets.end(), [](const SrvTarget& a, const SrvTarget& b) {
    return std::tuple{a.priority, b.weight} < std::tuple{b.priority, a.weight};
  });
  return targets;
}

}  // namespace causeway::probe
