// SPDX-License-Identifier: Apache-2.0
// Who may take a place of a table that all share, where a taken place cannot be taken away because somebody's call runs
// on it. The last eighth of the places is for networks that hold little: of these places nobody gets one that holds
// more than an eighth of what is free. So a few networks that take all they can leave places for others, and a table
// with room refuses nobody. A table of less than eight places is first come, first served.
#pragma once

#include <cstddef>

namespace causeway {

// `held`: of the `taken` ones, by the newcomer's network (SourceCounts::of_site).
constexpr bool may_take_place(std::size_t held, std::size_t taken, std::size_t places) noexcept {
  if (taken >= places) return false;
  const std::size_t free = places - taken;
  return free > places / 8 || held <= free / 8;
}

}  // namespace causeway
