// SPDX-License-Identifier: Apache-2.0
#include "signaling/member.hpp"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "signaling/candidate.hpp"

namespace causeway::load {

Member::Member(const Door& door, const Endpoint& local, Seat seat)
    : Link(open_stream_socket(local, SOCK_NONBLOCK)),
      door_(door),
      seat_(std::move(seat)),
      socket_(descriptor(), door.server, door.tls, door.dialect.target(seat_)) {}

void Member::greet() {
  if (std::exchange(has_greeted_, true)) return;
  const std::string greeting = door_.dialect.greeting(seat_);
  if (!greeting.empty()) socket_.say(greeting);
}

void Member::receive(Arrivals& arrivals) {
  socket_.flush();
  socket_.receive([&](std::string_view text) { on_text(text, arrivals); });
  if (socket_.state() == WebSocket::State::kOpen) greet();
}

void Member::on_text(std::string_view text, Arrivals& arrivals) {
  if (!is_joined_) {
    const Dialect::Step step = door_.dialect.enter(text, seat_);
    is_joined_ = step.is_joined;
    is_resumed_ = step.is_resumed;
    if (!step.say.empty()) socket_.say(step.say);
    return;
  }
  door_.dialect.note(text, seat_);
  if (text.find("ufrag") != std::string_view::npos) {
    if (const auto stamp = read_stamp(text)) return arrivals.arrived(*stamp);
    return arrivals.wrong();
  }
  const std::string answer = door_.dialect.answer(text, seat_);
  if (!answer.empty()) socket_.say(answer);
}

void Member::prepare() {
  const std::string text = door_.dialect.candidate(seat_, candidate_json());
  stamp_at_ = stamp_position(text);
  frame_ = text_frame(text);
}

bool Member::send(Stamp first, std::size_t /*packets: one at a time*/) {
  if (frame_.empty()) prepare();
  std::array<char, kStampDigits> digits{};
  write_stamp(digits.data(), first);
  std::uint8_t* to = frame_.data() + text_offset(frame_.size()) + stamp_at_;
  for (std::size_t i = 0; i < digits.size(); ++i)
    to[i] = static_cast<std::uint8_t>(digits[i]) ^ mask_at(stamp_at_ + i);
  return socket_.send(frame_);
}

}  // namespace causeway::load
