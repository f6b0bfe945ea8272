// SPDX-License-Identifier: Apache-2.0
#include "net/realm_selector.hpp"

#include <algorithm>

namespace causeway::net {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

turn::RealmIndex RealmSelector::by_address(const IpAddress& address) const noexcept {
  for (const auto& [own, realm] : addresses_) {
    if (own == address) return realm;
  }
  return 0;
}

turn::RealmIndex RealmSelector::by_name(std::string_view name, const IpAddress& address) const noexcept {
  for (const auto& [own, realm] : names_) {
    if (std::equal(own.begin(), own.end(), name.begin(), name.end(), [](char a, char b) { return a == lower(b); })) {
      return realm;
    }
  }
  return by_address(address);
}

}  // namespace causeway::net
