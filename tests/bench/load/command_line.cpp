// SPDX-License-Identifier: Apache-2.0
#include "load/command_line.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace causeway::load {

void complain(const std::string& what) {
  throw std::invalid_argument(what);
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
  if (parts.size() < 4 || parts.size() > 5) complain("a server is NAME,PID,ADDRESS,PORT[,KIND], not " + text);
  const auto address = IpAddress::parse(parts[2]);
  if (!address || !address->is_v4()) complain(parts[2] + " is not an IPv4 address");
  return {parts[0],
          static_cast<pid_t>(number(parts[1], 1, 1 << 30)),
          {*address, static_cast<std::uint16_t>(number(parts[3], 1, 65535))},
          parts.size() == 5 ? parts[4] : std::string{}};
}

void raise_descriptor_limit(std::size_t sockets) {
  rlimit limit{};
  const rlim_t wanted = sockets + 100;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit = {wanted, std::max(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error("this needs " + std::to_string(wanted) + " open files: raise ulimit -n");
}

}  // namespace causeway::load
