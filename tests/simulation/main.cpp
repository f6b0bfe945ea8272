// SPDX-License-Identifier: Apache-2.0
// Runs simulated worlds until a number of virtual hours has passed: first those of the kept seeds, then new ones.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <string>

#include "world.hpp"

namespace {

using namespace causeway::simulation;

constexpr const char* kUsage =
    "simulation [--hours N] [--seed N [--trace]] [--seeds FILE] [--keep FILE]\n"
    "  --hours N      virtual hours of random worlds (1000)\n"
    "  --seed N       this world alone; with --trace each packet at the server is shown\n"
    "  --seeds FILE   a list of seeds that are run before the random ones; may be given more than once\n"
    "  --keep FILE    where the seed of a world that fails is added\n";

struct Arguments {
  double hours = 1000;
  std::optional<std::uint64_t> seed;
  bool trace = false;
  std::vector<std::string> lists;
  std::string keep;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(kUsage);
    const std::string value = argv[++i];
    if (name == "--hours") {
      arguments.hours = std::stod(value);
    } else if (name == "--seed") {
      arguments.seed = std::stoull(value);
    } else if (name == "--seeds") {
      arguments.lists.push_back(value);
    } else if (name == "--keep") {
      arguments.keep = value;
    } else {
      throw std::invalid_argument(kUsage);
    }
  }
  return arguments;
}

// One seed a line; what follows a # is a remark.
std::vector<std::uint64_t> read_seeds(const std::string& path) {
  std::vector<std::uint64_t> seeds;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    const std::string text = line.substr(0, line.find('#'));
    if (text.find_first_of("0123456789") != std::string::npos) seeds.push_back(std::stoull(text));
  }
  return seeds;
}

class Run {
 public:
  Run(std::string program, const Arguments& arguments) : program_(std::move(program)), arguments_(arguments) {}

  // False when a rule was broken.
  bool world(std::uint64_t seed) {
    std::cout << "world " << seed << std::endl;  // at once: a sanitizer ends the program without another word
    try {
      add(run_world(seed, arguments_.trace ? &std::cout : nullptr));
      return true;
    } catch (const std::exception& violation) {
      std::cout << "FAILED: " << violation.what() << "\nRun it again with: " << program_ << " --seed " << seed
                << " --trace" << std::endl;
      if (!arguments_.keep.empty()) {
        std::ofstream{arguments_.keep, std::ios::app} << seed << "  # " << violation.what() << '\n';
        std::cout << "The seed is kept in " << arguments_.keep
                  << "; when the fault is mended, add it to tests/simulation/seeds." << std::endl;
      }
      return false;
    }
  }
  double hours() const { return hours_; }
  bool report(double seconds) const;

 private:
  struct Count {
    const char* what;
    std::uint64_t number = 0;
  };
  void add(const WorldReport& world);

  std::string program_;
  Arguments arguments_;
  int worlds_ = 0;
  double hours_ = 0;
  std::uint64_t events_ = 0;
  std::vector<Count> counts_;
};

void Run::add(const WorldReport& world) {
  const auto& server = world.server;
  const auto& parties = world.parties;
  const std::vector<Count> counts{
      {"sessions begun", parties.sessions},
      {"allocations", server.allocations},
      {"reservations taken", server.reservations_taken},
      {"refreshes", server.refreshes},
      {"permissions", server.permissions},
      {"channels", server.channels},
      {"calls", parties.calls},
      {"relayed to peers", server.to_peers},
      {"relayed to clients", server.to_clients},
      {"relayed in process", server.in_process},
      {"arrived at peers", parties.data_at_peers},
      {"arrived at clients", parties.data_at_clients},
      {"dropped by the rules", server.not_permitted},
      {"peers denied", server.denied_peers},
      {"dropped for bandwidth", server.bandwidth_drops},
      {"refused for a quota", server.quota_refusals},
      {"refused for capacity", server.capacity_refusals},
      {"stale nonces", server.stale_nonces},
      {"strangers ignored", server.strangers_ignored},
      {"released", server.released},
      {"expired", server.expired},
      {"ended with their credential", server.credentials_expired},
      {"ended with their connection", server.connections_gone},
      {"NATs restarted", parties.rebindings},
      {"allocations lost to that", parties.lost_to_rebinding},
      {"clients crashed", parties.crashes},
      {"requests without an answer", parties.timeouts},
  };
  ++worlds_;
  hours_ += world.hours;
  events_ += world.events;
  if (counts_.empty()) {
    counts_ = counts;
    return;
  }
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts_[i].number += counts[i].number;
}

// A run that saw nothing of some kind has proved nothing about it.
bool Run::report(double seconds) const {
  std::printf("%d worlds, %.0f virtual hours, %llu events in %.1f s\n", worlds_, hours_,
              static_cast<unsigned long long>(events_), seconds);
  bool all = true;
  for (const Count& count : counts_) {
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count.number), count.what);
    all = all && count.number > 0;
  }
  if (!all && worlds_ >= 50) std::puts("FAILED: something that these worlds should be full of never happened");
  return all || worlds_ < 50;
}

}  // namespace

int main(int argc, char** argv) try {
  const Arguments arguments = parse(argc, argv);
  const auto started = std::chrono::steady_clock::now();
  Run run{argv[0], arguments};
  if (arguments.seed) return run.world(*arguments.seed) ? 0 : 1;
  for (const std::string& list : arguments.lists)
    for (const std::uint64_t seed : read_seeds(list))
      if (!run.world(seed)) return 1;
  const std::uint64_t first = std::random_device{}();
  for (std::uint64_t seed = first; run.hours() < arguments.hours; ++seed)
    if (!run.world(seed)) return 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  return run.report(took.count()) ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 2;
}
