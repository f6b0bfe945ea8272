// SPDX-License-Identifier: Apache-2.0
// Puts one shape of load on TURN servers that run already, in interleaved turns, and prints JSON: what was delivered
// and the server's CPU time, turn by turn. `./dev bench relay` drives it (tests/bench/relay.py); docs/performance.md
// says why it measures as it does.
#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>

#include "load/command_line.hpp"
#include "load/handshakes.hpp"
#include "load/report.hpp"
#include "load/turn.hpp"

namespace causeway::load {
namespace {

constexpr const char* kUsage =
    "relay_load --server NAME,PID,ADDRESS,PORT[,bare] [--server …] [OPTIONS]\n"
    "  --account USER:PASSWORD    long-term credentials (alice:wonderland)\n"
    "  --shape SHAPE              c2p, p2c, both, relay-to-relay, indications, binding or allocate\n"
    "  --transport udp|tcp|tls    between client and server (udp)\n"
    "  --flows N                  clients (100)\n"
    "  --payload BYTES            a multiple of four, 12 to 1400 (160)\n"
    "  --burst N                  packets of one flow in a row (1)\n"
    "  --segment                  bursts leave as one UDP_SEGMENT send\n"
    "  --coalesce                 UDP_GRO where packets arrive\n"
    "  --window N                 packets under way, over all flows (128)\n"
    "  --rate N                   packets a second instead of a window\n"
    "  --rounds N                 turns of each server (9)\n"
    "  --memory                   instead of turns: the server's memory before and after all clients are set up\n"
    "  --turn-ms N                what is measured of a turn (90)\n";

struct Options {
  std::vector<ServerUnderLoad> servers;
  Account account{"alice", "wonderland"};
  Plan plan;
  Pace pace;
  std::size_t rounds = 9;
  bool handshakes = false;  // instead of a shape of Plan
  bool memory = false;
};

Shape shape_of(const std::string& text) {
  static const std::map<std::string, Shape> shapes{{"c2p", Shape::kClientToPeer},
                                                   {"p2c", Shape::kPeerToClient},
                                                   {"both", Shape::kBoth},
                                                   {"relay-to-relay", Shape::kRelayToRelay},
                                                   {"indications", Shape::kIndications},
                                                   {"binding", Shape::kBinding}};
  const auto found = shapes.find(text);
  if (found == shapes.end()) complain("no shape " + text);
  return found->second;
}

ClientTransport transport_of(const std::string& text) {
  if (text == "udp") return ClientTransport::kUdp;
  if (text == "tcp") return ClientTransport::kTcp;
  if (text == "tls") return ClientTransport::kTls;
  complain("no transport " + text);
}

void set_account(Options& options, const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) complain("an account is USER:PASSWORD");
  options.account = {text.substr(0, colon), text.substr(colon + 1)};
}

void set_option(Options& options, int option, const std::string& value) {
  switch (option) {
    case 's':
      return options.servers.push_back(server_of(value));
    case 'a':
      return set_account(options, value);
    case 'S':
      options.handshakes = value == "allocate";
      if (!options.handshakes) options.plan.shape = shape_of(value);
      return;
    case 'x':
      options.plan.transport = transport_of(value);
      return;
    case 'm':
      options.memory = true;
      return;
    case 'f':
      options.plan.flows = number(value, 1, 20'000);
      return;
    case 'p':
      options.plan.payload_bytes = number(value, Stamp::kBytes, 1400) & ~std::size_t{3};
      return;
    case 'b':
      options.plan.burst.packets = number(value, 1, 40);
      return;
    case 'g':
      options.plan.burst.segment = true;
      return;
    case 'c':
      options.plan.burst.coalesce = true;
      return;
    case 'w':
      options.pace.window = number(value, 1, 100'000);
      return;
    case 'r':
      options.pace.packets_per_second = static_cast<double>(number(value, 1, 10'000'000));
      return;
    case 'n':
      options.rounds = number(value, 1, 1000);
      return;
    case 't':
      options.pace.measured = std::chrono::milliseconds{number(value, 1, 60'000)};
      return;
    default:
      complain("unknown option");
  }
}

Options parse(int count, char** arguments) {
  static const option known[] = {{"server", required_argument, nullptr, 's'},
                                 {"account", required_argument, nullptr, 'a'},
                                 {"shape", required_argument, nullptr, 'S'},
                                 {"flows", required_argument, nullptr, 'f'},
                                 {"payload", required_argument, nullptr, 'p'},
                                 {"burst", required_argument, nullptr, 'b'},
                                 {"segment", no_argument, nullptr, 'g'},
                                 {"coalesce", no_argument, nullptr, 'c'},
                                 {"window", required_argument, nullptr, 'w'},
                                 {"rate", required_argument, nullptr, 'r'},
                                 {"rounds", required_argument, nullptr, 'n'},
                                 {"transport", required_argument, nullptr, 'x'},
                                 {"memory", no_argument, nullptr, 'm'},
                                 {"turn-ms", required_argument, nullptr, 't'},
                                 {nullptr, 0, nullptr, 0}};
  Options options;
  for (int option = 0; (option = ::getopt_long(count, arguments, "", known, nullptr)) != -1;)
    set_option(options, option, optarg != nullptr ? optarg : "");
  if (optind < count) complain(std::string{"what is "} + arguments[optind] + "?");
  if (options.servers.empty()) complain("which servers?");
  if (options.plan.shape == Shape::kRelayToRelay) options.plan.flows += options.plan.flows % 2;
  if (options.plan.transport != ClientTransport::kUdp &&
      (options.handshakes || options.plan.shape >= Shape::kIndications))
    complain("this shape is for UDP only");
  if (options.pace.window < options.plan.burst.packets) complain("the window is smaller than a burst");
  // With few flows several packets wait at one socket; with many a batch would only be a wasted look for a second one.
  if (options.plan.flows <= 16 || options.plan.burst.packets > 1) options.plan.burst.read_batch = 16;
  return options;
}

// Each flow has sockets of its own with each server.
std::size_t sockets_of(const Options& options) {
  return options.servers.size() * options.plan.flows * (options.plan.shape == Shape::kBinding ? 1 : 2);
}

std::unique_ptr<Workload> workload(const Options& options, std::size_t server) {
  const auto number = static_cast<std::uint8_t>(server);
  if (options.handshakes)
    return std::make_unique<Handshakes>(options.servers[server], options.plan.flows, options.account, number);
  return std::make_unique<RelayLoad>(options.servers[server], options.plan, options.account, number);
}

std::vector<ServerReport> run(const Options& options) {
  std::vector<std::unique_ptr<Workload>> workloads;
  for (std::size_t i = 0; i < options.servers.size(); ++i)
    workloads.push_back(workload(options, i));
  return take_turns(options.servers, workloads, options.rounds, options.pace);
}

std::vector<MemoryReport> measure_memory(const Options& options) {
  std::vector<MemoryReport> reports;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    const ServerUnderLoad& server = options.servers[i];
    const std::uint64_t before = resident_bytes(server);
    const auto clients = workload(options, i);
    reports.push_back({server.name, options.plan.flows, before, resident_bytes(server)});
  }
  return reports;
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** arguments) {
  using namespace causeway::load;
  try {
    const Options options = parse(count, arguments);
    raise_descriptor_limit(sockets_of(options));
    if (options.memory)
      print_report(measure_memory(options));
    else
      print_report(run(options));
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "relay_load: %s\n%s", error.what(), kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "relay_load: %s\n", error.what());
    return 1;
  }
}
