// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/room.hpp"

#include <algorithm>
#include <utility>

#include "causeway/base/utf8.hpp"

namespace causeway::signaling {

Member* Room::find(std::string_view member_id) const noexcept {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [member_id](const auto& member) { return member->info.member == member_id; });
  return found == members.end() ? nullptr : found->get();
}

Member* Room::appoint_moderator() noexcept {
  Member* successor = nullptr;
  for (const auto& member : members) {
    if (member->info.role == Role::kModerator) return nullptr;
    const bool can = !member->plain && member->info.role != Role::kListener;
    if (successor == nullptr && can) successor = member.get();
  }
  if (successor != nullptr) successor->info.role = Role::kModerator;
  return successor;
}

std::unique_ptr<Member> Room::remove(const Member& member) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&member](const auto& candidate) { return candidate.get() == &member; });
  std::unique_ptr<Member> removed = std::move(*found);
  members.erase(found);
  return removed;
}

namespace {

// Turns the direction of text or breaks its line: U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
bool is_layout_control(std::string_view character) noexcept {
  if (character == "\xD8\x9C") return true;
  if (character.size() != 3 || !character.starts_with('\xE2')) return false;
  const auto second = static_cast<std::uint8_t>(character[1]);
  const auto third = static_cast<std::uint8_t>(character[2]);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

}  // namespace

bool is_valid_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > kNameBytesMax) return false;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    const auto first = static_cast<std::uint8_t>(text[0]);
    if (first < 0x20 || first == 0x7F) return false;                               // C0 and DEL
    if (first == 0xC2 && static_cast<std::uint8_t>(text[1]) < 0xA0) return false;  // C1: U+0080 to U+009F
    if (is_layout_control(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace causeway::signaling
