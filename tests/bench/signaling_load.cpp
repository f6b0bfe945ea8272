// SPDX-License-Identifier: Apache-2.0
// Puts members of rooms of two on signaling servers that run already and prints JSON: what was delivered and the
// server's CPU time, turn by turn; or its memory; or how it stands a reconnect storm. `./dev bench signaling` drives it
// (tests/bench/signaling.py); docs/performance.md says why it measures as it does.
#include <getopt.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "load/command_line.hpp"
#include "load/report.hpp"
#include "signaling/rooms.hpp"
#include "signaling/storm.hpp"

namespace causeway::load {
namespace {

constexpr const char* kUsage =
    "signaling_load --server NAME,PID,ADDRESS,PORT[,KIND] [--server …] [OPTIONS]\n"
    "  KIND: causeway, ws, socket.io or peerjs\n"
    "  --tls             between members and server\n"
    "  --rooms N         of two who send candidates to each other (50)\n"
    "  --sources N       addresses that the members come from (64)\n"
    "  --window N        candidates under way, over all rooms (128)\n"
    "  --rate N          candidates a second instead of a window; in a storm 1000\n"
    "  --rounds N        turns of each server (9)\n"
    "  --turn-ms N       what is measured of a turn (90), of a storm (10000)\n"
    "  --memory N        instead of turns: the server's memory before and after N idle members came\n"
    "  --storm N         instead of turns: N idle members lose their connections at once and come back\n"
    "  --spread-ms N     over which those begin to come back (8000)\n";

struct Options {
  std::vector<ServerUnderLoad> servers;
  RoomsPlan plan;
  Pace pace;
  StormPlan storm_plan;
  std::size_t rounds = 9;
  std::size_t memory = 0, storm = 0;  // members, instead of turns
};

void set_option(Options& options, int option, const std::string& value) {
  switch (option) {
    case 's':
      return options.servers.push_back(server_of(value));
    case 'l':
      options.plan.tls = true;
      return;
    case 'r':
      options.plan.rooms = number(value, 1, 10'000);
      return;
    case 'a':
      options.plan.sources = number(value, 1, 250);
      return;
    case 'w':
      options.pace.window = number(value, 1, 100'000);
      return;
    case 'R':
      options.storm_plan.packets_per_second = options.pace.packets_per_second =
          static_cast<double>(number(value, 1, 1'000'000));
      return;
    case 'n':
      options.rounds = number(value, 1, 1000);
      return;
    case 't':
      options.storm_plan.measured = options.pace.measured = std::chrono::milliseconds{number(value, 1, 60'000)};
      return;
    case 'm':
      options.memory = number(value, 1, 50'000);
      return;
    case 'S':
      options.storm = options.storm_plan.members = number(value, 1, 50'000);
      return;
    case 'p':
      options.storm_plan.spread = std::chrono::milliseconds{number(value, 1, 60'000)};
      return;
    default:
      complain("unknown option");
  }
}

Options parse(int count, char** arguments) {
  static const option known[] = {
      {"server", required_argument, nullptr, 's'},    {"tls", no_argument, nullptr, 'l'},
      {"rooms", required_argument, nullptr, 'r'},     {"sources", required_argument, nullptr, 'a'},
      {"window", required_argument, nullptr, 'w'},    {"rate", required_argument, nullptr, 'R'},
      {"rounds", required_argument, nullptr, 'n'},    {"turn-ms", required_argument, nullptr, 't'},
      {"memory", required_argument, nullptr, 'm'},    {"storm", required_argument, nullptr, 'S'},
      {"spread-ms", required_argument, nullptr, 'p'}, {nullptr, 0, nullptr, 0}};
  Options options;
  for (int option = 0; (option = ::getopt_long(count, arguments, "", known, nullptr)) != -1;)
    set_option(options, option, optarg != nullptr ? optarg : "");
  if (optind < count) complain(std::string{"what is "} + arguments[optind] + "?");
  if (options.servers.empty()) complain("which servers?");
  return options;
}

std::unique_ptr<Rooms> rooms(const Options& options, std::size_t server) {
  return std::make_unique<Rooms>(options.servers[server], options.plan, static_cast<std::uint8_t>(server));
}

void measure_turns(const Options& options) {
  raise_descriptor_limit(options.servers.size() * 2 * options.plan.rooms);
  std::vector<std::unique_ptr<Workload>> workloads;
  for (std::size_t i = 0; i < options.servers.size(); ++i)
    workloads.push_back(rooms(options, i));
  for (const auto& workload : workloads)
    (void)workload->run(options.pace, 0);  // servers on Node are slow until their compiler has seen what runs often
  print_report(take_turns(options.servers, workloads, options.rounds, options.pace));
}

// A few members come first, so that what the server makes once is not counted.
void measure_memory(const Options& options) {
  raise_descriptor_limit(options.memory + 2 * options.plan.rooms);
  std::vector<MemoryReport> reports;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    const ServerUnderLoad& server = options.servers[i];
    const auto with_server = rooms(options, i);
    const std::uint64_t before = resident_bytes(server);
    const auto idle = with_server->idle_members(options.memory);
    reports.push_back({server.name, idle.size(), before, resident_bytes(server)});
  }
  print_report(reports);
}

void measure_storm(const Options& options) {
  raise_descriptor_limit(options.storm + 2 * options.plan.rooms);
  std::vector<StormReport> reports;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    const auto with_server = rooms(options, i);
    reports.push_back(run_storm(*with_server, options.servers[i].name, options.storm_plan));
  }
  print_report(reports);
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** arguments) {
  using namespace causeway::load;
  try {
    const Options options = parse(count, arguments);
    if (options.memory > 0) {
      measure_memory(options);
    } else if (options.storm > 0) {
      measure_storm(options);
    } else {
      measure_turns(options);
    }
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "signaling_load: %s\n%s", error.what(), kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "signaling_load: %s\n", error.what());
    return 1;
  }
}
