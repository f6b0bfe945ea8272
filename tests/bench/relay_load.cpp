// SPDX-License-Identifier: Apache-2.0
// Puts one shape of load on TURN servers that run already, in interleaved turns, and prints JSON: what was delivered
// and the server's CPU time, turn by turn. `./dev bench relay` drives it (tests/bench/relay.py); docs/performance.md
// says why it measures as it does.
#include <getopt.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

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

[[noreturn]] void complain(const std::string& what) {
  throw std::invalid_argument(what + "\n" + kUsage);
}

std::size_t number(const std::string& text, std::size_t min, std::size_t max) {
  std::size_t end = 0;
  unsigned long value = 0;
  try {
    value = std::stoul(text, &end);
  } catch (const std::exception&) {
    complain("\"" + text + "\" is not a number");
  }
  if (end != text.size() || value < min || value > max)
    complain(text + " is not between " + std::to_string(min) + " and " + std::to_string(max));
  return value;
}

ServerUnderLoad server_of(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ',');)
    parts.push_back(part);
  if (parts.size() < 4 || parts.size() > 5) complain("a server is NAME,PID,ADDRESS,PORT[,bare], not " + text);
  const auto address = IpAddress::parse(parts[2]);
  if (!address || !address->is_v4()) complain(parts[2] + " is not an IPv4 address");
  return {parts[0],
          static_cast<pid_t>(number(parts[1], 1, 1 << 30)),
          {*address, static_cast<std::uint16_t>(number(parts[3], 1, 65535))},
          parts.size() == 5};
}

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

// Each flow has sockets of its own with each server. Beyond the hard limit where this process may.
void raise_descriptor_limit(const Options& options) {
  rlimit limit{};
  const std::size_t sockets = options.plan.shape == Shape::kBinding ? 1 : 2;
  const rlim_t wanted = options.servers.size() * options.plan.flows * sockets + 100;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit = {wanted, std::max(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error("this needs " + std::to_string(wanted) + " open files: raise ulimit -n");
}

std::unique_ptr<Workload> workload(const Options& options, std::size_t server) {
  const auto number = static_cast<std::uint8_t>(server);
  if (options.handshakes)
    return std::make_unique<Handshakes>(options.servers[server], options.plan.flows, options.account, number);
  return std::make_unique<RelayLoad>(options.servers[server], options.plan, options.account, number);
}

std::vector<ServerReport> run(const Options& options) {
  std::vector<std::unique_ptr<Workload>> workloads;
  std::vector<ServerReport> reports;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    workloads.push_back(workload(options, i));
    reports.push_back({options.servers[i].name, {}});
  }
  std::uint16_t turns = 0;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < workloads.size(); ++i) {
      const std::size_t which = (round + i) % workloads.size();  // none always follows the same one
      reports[which].turns.push_back(workloads[which]->run(options.pace, ++turns));
    }
  }
  return reports;
}

std::uint64_t resident_bytes(pid_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/smaps_rollup";  // exact, other than statm
  std::ifstream in{path};
  for (std::string word; in >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "Rss:" && in >> kibibytes) return kibibytes * 1024;
  }
  throw std::runtime_error("no Rss in " + path);
}

std::vector<MemoryReport> measure_memory(const Options& options) {
  std::vector<MemoryReport> reports;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    const ServerUnderLoad& server = options.servers[i];
    const std::uint64_t before = resident_bytes(server.process);
    const auto clients = workload(options, i);
    reports.push_back({server.name, options.plan.flows, before, resident_bytes(server.process)});
  }
  return reports;
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** arguments) {
  using namespace causeway::load;
  try {
    const Options options = parse(count, arguments);
    raise_descriptor_limit(options);
    if (options.memory)
      print_report(measure_memory(options));
    else
      print_report(run(options));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "relay_load: %s\n", error.what());
    return 1;
  }
}
