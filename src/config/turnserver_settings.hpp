// SPDX-License-Identifier: Apache-2.0
// The options of a turnserver.conf that Causeway has an equal for, checked, each with the line that says it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "config/address_range.hpp"
#include "config/config.hpp"
#include "config/import_turnserver_conf.hpp"
#include "config/turnserver_conf.hpp"

namespace causeway::config {

template <class T>
struct Sourced {
  T value;
  std::size_t line = 0;
  std::string option;
};

struct TurnserverSettings {
  std::map<std::string, Sourced<std::uint32_t>, std::less<>> numbers;  // by option: "min-port"
  std::map<std::string, Sourced<std::string>, std::less<>> texts;      // "realm", "cert", "pkey"
  std::map<std::string, std::size_t, std::less<>> flags;               // those that are on, and the line
  std::map<std::string, Sourced<std::string>, std::less<>> users;      // name -> password
  std::vector<Sourced<std::string>> secrets;
  std::vector<Sourced<IpAddress>> listening;
  std::vector<Sourced<IpAddress>> relay;
  std::vector<Sourced<ExternalAddress>> external;
  std::vector<Sourced<AddressRange>> allowed_peers;
  std::vector<Sourced<AddressRange>> denied_peers;
  std::map<std::string, std::size_t, std::less<>> off;  // flags that say so, and the line
  std::vector<Sourced<std::string>> remarks;            // what became of lines that no key stands for

  bool has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  bool is_off(std::string_view flag) const { return off.find(flag) != off.end(); }
};

TurnserverSettings read_turnserver_settings(const std::vector<TurnserverOption>& options,
                                            std::vector<ImportNote>& notes);

}  // namespace causeway::config
