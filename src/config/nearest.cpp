// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace causeway::config {
namespace {

constexpr std::size_t kComparedBytesMax = 128;  // no key is that long, and the comparison is quadratic

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('.') == std::string_view::npos ? 0 : path.rfind('.') + 1);
}

bool is_below(std::string_view path, std::string_view section) {
  return path.size() > section.size() && path.starts_with(section) && path[section.size()] == '.';
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back;
  std::vector<std::size_t> back(b.size() + 1);
  std::iota(back.begin(), back.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_back[j - 2] + 1);
    }
    two_back = std::exchange(back, std::move(row));
  }
  return back.back();
}

std::string nearest(std::string_view unknown, const std::set<std::string>& known) {
  unknown = unknown.substr(0, kComparedBytesMax);
  // Below a key that has none below it, "turn.users.alice", that key is meant.
  for (const std::string& key : known) {
    const auto below = known.upper_bound(key + ".");
    if (is_below(unknown, key) && (below == known.end() || !is_below(*below, key))) return key;
  }
  std::string best;
  std::size_t best_distance = 0;
  for (const std::string& key : known) {
    const std::size_t whole = edit_distance(unknown, key);
    const std::size_t in_wrong_section = edit_distance(last_name(unknown), last_name(key)) + 1;
    const std::size_t distance = std::min(whole, in_wrong_section);
    if (best.empty() || distance < best_distance) {
      best = key;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace causeway::config
