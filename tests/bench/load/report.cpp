// SPDX-License-Identifier: Apache-2.0
#include "load/report.hpp"

#include <cstdio>

namespace causeway::load {
void print_turn(const Tally& turn) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "{\"sent\": %llu, \"refused\": %llu, \"delivered\": %llu, \"lost\": %llu, \"late\": %llu, \"wrong\": %llu, "
      "\"cpu_ns\": %llu, \"wall_ns\": %llu, \"latency_p50_ns\": %u, \"latency_p99_ns\": %u}",
      number(turn.sent), number(turn.refused), number(turn.delivered), number(turn.lost), number(turn.late),
      number(turn.wrong), number(turn.cpu_nanoseconds), number(turn.wall_nanoseconds), turn.latency.percentile(0.5),
      turn.latency.percentile(0.99));
}

std::vector<ServerReport> take_turns(const std::vector<ServerUnderLoad>& servers,
                                     const std::vector<std::unique_ptr<Workload>>& workloads, std::size_t rounds,
                                     const Pace& pace) {
  std::vector<ServerReport> reports;
  for (const ServerUnderLoad& server : servers)
    reports.push_back({server.name, {}});
  std::uint16_t turns = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < workloads.size(); ++i) {
      const std::size_t which = (round + i) % workloads.size();  // none always follows the same one
      reports[which].turns.push_back(workloads[which]->run(pace, ++turns));
    }
  }
  return reports;
}

void print_report(const std::vector<ServerReport>& servers) {
  std::printf("{");
  for (std::size_t i = 0; i < servers.size(); ++i) {
    std::printf("%s\"%s\": [\n", i == 0 ? "" : ",\n", servers[i].name.c_str());
    for (std::size_t turn = 0; turn < servers[i].turns.size(); ++turn) {
      std::printf("%s  ", turn == 0 ? "" : ",\n");
      print_turn(servers[i].turns[turn]);
    }
    std::printf("\n]");
  }
  std::printf("}\n");
}

void print_report(const std::vector<MemoryReport>& servers) {
  std::printf("{");
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const MemoryReport& server = servers[i];
    std::printf("%s\"%s\": {\"clients\": %zu, \"before_bytes\": %llu, \"after_bytes\": %llu}", i == 0 ? "" : ",\n",
                server.name.c_str(), server.clients, static_cast<unsigned long long>(server.before_bytes),
                static_cast<unsigned long long>(server.after_bytes));
  }
  std::printf("}\n");
}

}  // namespace causeway::load
