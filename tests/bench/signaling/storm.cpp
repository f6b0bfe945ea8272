// SPDX-License-Identifier: Apache-2.0
#include "signaling/storm.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "load/report.hpp"

namespace causeway::load {
namespace {

constexpr std::size_t kLostAtOnce = 50;  // between two looks at what arrives

class Storm {
 public:
  Storm(Rooms& rooms, const StormPlan& plan, StormReport& report)
      : rooms_(rooms), plan_(plan), report_(report), members_(rooms.idle_members(plan.members)) {
    for (const auto& member : members_)
      seats_.push_back(member->seat());
    report_.members = members_.size();
  }

  void go_on(Clock::time_point now) {
    if (lost_ == 0) begun_ = now;
    if (lost_ < members_.size()) return lose_some();
    const double share = std::chrono::duration<double>(now - begun_) / plan_.spread;
    const auto due = static_cast<std::size_t>(share * static_cast<double>(members_.size()));
    for (; back_ < std::min(due, members_.size()); ++back_) {
      members_[back_] = rooms_.connect(seats_[back_]);
      entering_.push_back({back_, now});
    }
    settle(now);
  }

  void finish() {
    for (const Entering& entering : entering_)
      fail(*members_[entering.index]);
    report_.failed += members_.size() - back_;
  }

 private:
  struct Entering {
    std::size_t index;
    Clock::time_point since;
  };

  void lose_some() {
    const std::size_t end = std::min(lost_ + kLostAtOnce, members_.size());
    for (; lost_ < end; ++lost_)
      members_[lost_].reset();
  }

  void settle(Clock::time_point now) {
    const auto has_settled = [&](const Entering& entering) {
      const Member& member = *members_[entering.index];
      if (member.has_ended()) {
        fail(member);
        return true;
      }
      if (!member.is_joined()) return false;
      ++(member.is_resumed() ? report_.resumed : report_.joined_anew);
      report_.return_time.add(static_cast<std::uint32_t>(nanoseconds(now - entering.since)));
      report_.last_back_nanoseconds = nanoseconds(now - begun_);
      return true;
    };
    entering_.erase(std::remove_if(entering_.begin(), entering_.end(), has_settled), entering_.end());
  }

  void fail(const Member& member) {
    ++report_.failed;
    ++report_.reasons[member.has_ended() ? member.why_it_ended() : "not back in time"];
  }

  Rooms& rooms_;
  StormPlan plan_;
  StormReport& report_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Seat> seats_;
  std::vector<Entering> entering_;
  std::size_t lost_ = 0, back_ = 0;
  Clock::time_point begun_;
};

}  // namespace

StormReport run_storm(Rooms& rooms, const std::string& name, const StormPlan& plan) {
  StormReport report;
  report.name = name;
  Storm storm{rooms, plan, report};
  Pace pace;
  pace.packets_per_second = plan.packets_per_second;
  pace.measured = plan.measured / 4;
  report.before = Turn{rooms.paths(), 1, pace, 1}.run();
  pace.measured = plan.measured;
  report.during = Turn{rooms.paths(), 1, pace, 2}.run([&](Clock::time_point now) { storm.go_on(now); });
  storm.finish();
  return report;
}

void print_report(const std::vector<StormReport>& servers) {
  std::printf("{");
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const StormReport& server = servers[i];
    std::printf(
        "%s\"%s\": {\"members\": %zu, \"resumed\": %zu, \"joined_anew\": %zu, \"failed\": %zu, \"return_p50_ns\": %u, "
        "\"return_p99_ns\": %u, \"last_back_ns\": %llu,\n  \"before\": ",
        i == 0 ? "" : ",\n", server.name.c_str(), server.members, server.resumed, server.joined_anew, server.failed,
        server.return_time.percentile(0.5), server.return_time.percentile(0.99),
        static_cast<unsigned long long>(server.last_back_nanoseconds));
    print_turn(server.before);
    std::printf(",\n  \"during\": ");
    print_turn(server.during);
    std::printf(",\n  \"reasons\": {");
    const char* separator = "";
    for (const auto& [reason, count] : server.reasons) {
      std::printf("%s\"%s\": %zu", separator, reason.c_str(), count);
      separator = ", ";
    }
    std::printf("}}");
  }
  std::printf("}\n");
}

}  // namespace causeway::load
