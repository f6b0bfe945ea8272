// SPDX-License-Identifier: Apache-2.0
// The steps of a probe in the order in which they were tried, with their times.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "net/system_clock.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

enum class StepResult : std::uint8_t {
  kOk,
  kFailed,
  kSkipped,  // it cannot be tried here, or the server does not offer it: no failure
};

struct Step {
  std::string name;                // "resolve", "connect", "binding", "allocate", …
  std::optional<Endpoint> server;  // absent before one is known
  StepResult result = StepResult::kOk;
  std::chrono::duration<double, std::milli> time{};
  std::string detail;
  std::string advice;  // of one that failed
};

using Outcome = Result<std::string, ProbeError>;  // what to tell of a step

class Report {
 public:
  void set_server(const Endpoint& server) { server_ = server; }

  // Runs `perform`, an Outcome(), and notes what came out. True where it is ok; else error() says more.
  template <class Perform>
  bool step(std::string name, Perform&& perform) {
    const TimePoint begin = read_clock().steady;
    Outcome outcome = perform();
    Step done{std::move(name), server_, StepResult::kOk, read_clock().steady - begin, {}, {}};
    const bool ok = outcome.has_value();
    if (ok) {
      done.detail = *std::move(outcome);
    } else {
      error_ = outcome.error();
      done.result = StepResult::kFailed;
      done.detail = error_.detail;
      done.advice = error_.advice;
    }
    steps_.push_back(std::move(done));
    return ok;
  }

  const ProbeError& error() const noexcept { return error_; }  // of the last step that failed
  Step& last() { return steps_.back(); }

  // The last step is none to complain about, for this reason.
  void excuse(StepResult result, std::string detail) {
    last().result = result;
    last().detail = std::move(detail);
    last().advice.clear();
  }

  std::size_t size() const noexcept { return steps_.size(); }
  void forget_from(std::size_t count) { steps_.resize(count); }
  std::vector<Step> take() { return std::move(steps_); }

 private:
  std::vector<Step> steps_;
  std::optional<Endpoint> server_;
  ProbeError error_;
};

}  // namespace causeway::probe
