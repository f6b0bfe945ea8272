// SPDX-License-Identifier: Apache-2.0
#include "app/live_members.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "causeway/signaling/hub.hpp"

namespace causeway::app {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_id(std::string_view text) noexcept {
  return text.size() == signaling::Hub::kIdCharacters && text.find_first_not_of(kBase64Url) == std::string_view::npos;
}

bool looks_like_a_member(std::string_view user) noexcept {
  const std::size_t slash = std::min(user.find('/'), user.size());
  return is_id(user.substr(0, slash)) && slash < user.size() && is_id(user.substr(slash + 1));
}

}  // namespace

std::string LiveMembers::user_of(std::string_view room_id, std::string_view member_id) {
  return std::string{room_id}.append("/").append(member_id);
}

void LiveMembers::add(std::string user) {
  const std::unique_lock lock{mutex_};
  users_.insert(std::move(user));
}

void LiveMembers::remove(const std::string& user) {
  const std::unique_lock lock{mutex_};
  users_.erase(user);
}

bool LiveMembers::admits(std::string_view user) const {
  if (!looks_like_a_member(user)) return true;
  const std::shared_lock lock{mutex_};
  return users_.contains(user);
}

std::size_t LiveMembers::size() const {
  const std::shared_lock lock{mutex_};
  return users_.size();
}

}  // namespace causeway::app
