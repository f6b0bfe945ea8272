// SPDX-License-Identifier: Apache-2.0
#include "app/probe_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "causeway/base/printable.hpp"
#include "causeway/base/result.hpp"
#include "causeway/turn/credentials.hpp"
#include "net/system_clock.hpp"
#include "probe/probe.hpp"

namespace causeway::app {
namespace {

constexpr std::string_view kProbeUser = "probe";
constexpr std::chrono::minutes kProbeCredentialLifetime{10};

std::string sentence(const std::string& text) {
  return text.ends_with('?') ? text : text + ".";
}

using probe::StepResult;

struct UsageError {
  std::string sentence;
};

bool none_failed(const std::vector<probe::Step>& steps) {
  return std::none_of(steps.begin(), steps.end(),
                      [](const probe::Step& step) { return step.result == StepResult::kFailed; });
}

const char* name_of(StepResult result) {
  switch (result) {
    case StepResult::kOk:
      return "ok";
    case StepResult::kFailed:
      return "failed";
    case StepResult::kSkipped:
      return "skipped";
  }
  return "";
}

Result<probe::ProbeOptions, UsageError> probe_options(const ProbeArguments& arguments) {
  auto uri = probe::parse_probe_uri(arguments.uri);
  if (!uri) return UsageError{uri.error().sentence};
  probe::ProbeOptions options;
  options.uri = std::move(*uri);
  options.timeout = std::chrono::seconds{arguments.timeout_seconds};
  options.certificate_check.skip = arguments.insecure;
  if (!arguments.authorities.empty()) options.certificate_check.authorities = arguments.authorities;
  if (arguments.insecure && !arguments.authorities.empty()) return UsageError{"Give --ca or --insecure, not both."};
  if (arguments.user.empty() != arguments.password.empty()) return UsageError{"--user and --password belong together."};
  if (!arguments.secret.empty() && !arguments.user.empty() && !arguments.password.empty()) {
    return UsageError{"Give --user and --password, or --secret, not both."};
  }
  if (!arguments.user.empty()) options.credential = probe::Credential{arguments.user, arguments.password};
  if (!arguments.secret.empty()) {
    auto made =
        turn::make_time_limited_credential(arguments.secret, kProbeUser, read_clock().wall + kProbeCredentialLifetime);
    options.credential = probe::Credential{std::move(made.username), std::move(made.password)};
  }
  if (!arguments.peer.empty()) {
    options.peer = parse_endpoint(arguments.peer);
    if (!options.peer) return UsageError{"--peer must be like 192.0.2.1:9 or [2001:db8::1]:9."};
  }
  return options;
}

void print(const std::string& uri, const std::vector<probe::Step>& steps, std::ostream& out) {
  out << printable(uri) << '\n';
  for (const probe::Step& step : steps) {
    const bool failed = step.result == StepResult::kFailed;
    std::array<char, 64> line{};
    std::snprintf(line.data(), line.size(), "  %-7s %-22s %8.1f ms  ", failed ? "FAILED" : name_of(step.result),
                  step.name.c_str(), step.time.count());
    out << line.data() << printable(sentence(step.detail)) << '\n';
    if (!step.advice.empty()) out << "          " << printable(sentence(step.advice)) << '\n';
  }
  out << (none_failed(steps) ? "It works.\n" : "It does not work.\n");
}

void print_json(const std::string& uri, const std::vector<probe::Step>& steps, std::ostream& out) {
  using nlohmann::ordered_json;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
  };
  ordered_json list = ordered_json::array();
  for (const probe::Step& step : steps) {
    list.push_back({{"name", step.name},
                    {"server", or_null(step.server ? step.server->to_string() : "")},
                    {"result", name_of(step.result)},
                    {"milliseconds", step.time.count()},
                    {"detail", printable(step.detail)},
                    {"advice", or_null(printable(step.advice))}});
  }
  const ordered_json report{{"uri", uri}, {"ok", none_failed(steps)}, {"steps", std::move(list)}};
  out << report.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size() && port != 0;
  if (!address || address->is_v4() == brackets || !whole) return std::nullopt;
  return Endpoint{*address, port};
}

int probe(const ProbeArguments& arguments, std::ostream& out, std::ostream& err) {
  const auto options = probe_options(arguments);
  if (!options) {
    err << "error: " << options.error().sentence << '\n';
    return kExitBadConfig;
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
  const std::vector<probe::Step> steps = probe::run(*options);
  if (arguments.json) {
    print_json(arguments.uri, steps, out);
  } else {
    print(arguments.uri, steps, out);
  }
  return none_failed(steps) ? kExitSuccess : kExitFailure;
}

}  // namespace causeway::app
