// SPDX-License-Identifier: Apache-2.0
// Which realm a client belongs to: that of the name it asked for by SNI (RFC 6066 §3), else that of the address it came
// to, else the first one. A plain value, made once by the composition root.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "causeway/turn/five_tuple.hpp"

namespace causeway::net {

class RealmSelector {
 public:
  void add_address(const IpAddress& address, turn::RealmIndex realm) { addresses_.emplace_back(address, realm); }
  // In lower case.
  void add_server_name(std::string name, turn::RealmIndex realm) { names_.emplace_back(std::move(name), realm); }

  // Asked for each datagram: a few addresses at most, and usually none.
  turn::RealmIndex by_address(const IpAddress& address) const noexcept;
  // `name` in any case; empty: the client named none.
  turn::RealmIndex by_name(std::string_view name, const IpAddress& address) const noexcept;

 private:
  std::vector<std::pair<IpAddress, turn::RealmIndex>> addresses_;
  std::vector<std::pair<std::string, turn::RealmIndex>> names_;
};

}  // namespace causeway::net
