// SPDX-License-Identifier: Apache-2.0
#include "signaling/web_socket.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace causeway::load {
namespace {

constexpr std::array<std::uint8_t, 4> kMask{0x5A, 0xC3, 0x3C, 0xA5};
constexpr std::size_t kReadBytes = 65536;
constexpr std::uint8_t kFinal = 0x80, kMasked = 0x80, kText = 1, kClose = 8, kPing = 9, kPong = 10;

std::vector<std::uint8_t> masked_frame(std::uint8_t opcode, std::string_view payload) {
  const std::size_t header_bytes = payload.size() < 126 ? 2 : 4;
  std::vector<std::uint8_t> frame(header_bytes + kMask.size() + payload.size());
  frame[0] = kFinal | opcode;
  frame[1] = kMasked | static_cast<std::uint8_t>(header_bytes == 2 ? payload.size() : 126);
  if (header_bytes == 4) store_be16(frame.data() + 2, static_cast<std::uint16_t>(payload.size()));
  std::uint8_t* to = std::copy(kMask.begin(), kMask.end(), frame.data() + header_bytes);
  for (std::size_t i = 0; i < payload.size(); ++i)
    *to++ = static_cast<std::uint8_t>(payload[i]) ^ mask_at(i);
  return frame;
}

std::string_view text_of(Bytes octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace

std::vector<std::uint8_t> text_frame(std::string_view text) {
  return masked_frame(kText, text);
}

std::uint8_t mask_at(std::size_t at) noexcept {
  return kMask[at % kMask.size()];
}

std::size_t text_offset(std::size_t frame_bytes) noexcept {
  return frame_bytes < 6 + 126 ? 6 : 8;
}

WebSocket::WebSocket(int descriptor, const Endpoint& remote, SSL_CTX* context, std::string_view target)
    : stream_(descriptor, context) {
  if (!stream_.connect(remote)) end("no connection");
  const std::string request = "GET " + std::string{target} + " HTTP/1.1\r\nHost: " + remote.to_string() +
                              "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  waiting_.assign(request.begin(), request.end());
}

bool WebSocket::send(Bytes frame) {
  if (!waiting_.empty()) flush();
  if (!waiting_.empty() || state_ != State::kOpen) return false;
  // Over TLS the whole frame or nothing of it is taken.
  const std::size_t written = stream_.write_some(frame);
  if (stream_.has_ended()) end("the connection ended");
  if (written < frame.size()) waiting_.assign(frame.begin() + static_cast<std::ptrdiff_t>(written), frame.end());
  return true;
}

void WebSocket::say(std::string_view text) {
  const auto frame = text_frame(text);
  waiting_.insert(waiting_.end(), frame.begin(), frame.end());
  flush();
}

void WebSocket::flush() {
  while (!waiting_.empty() && state_ != State::kEnded) {
    const std::size_t written = stream_.write_some(waiting_);
    if (stream_.has_ended()) return end("the connection ended");
    if (written == 0) return;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(written));
  }
  waiting_.shrink_to_fit();
}

Bytes WebSocket::read() {
  static std::array<std::uint8_t, 2 * kReadBytes> input;  // of all connections: one is read at a time
  drained_ = false;
  if (state_ == State::kEnded) return {};
  std::copy(kept_.begin(), kept_.end(), input.begin());
  const std::size_t got = stream_.read_some(MutableBytes{input}.subspan(kept_.size(), kReadBytes));
  if (stream_.has_ended()) end("the connection ended");
  drained_ = got < kReadBytes && !stream_.is_tls();  // what OpenSSL holds makes no descriptor readable
  if (got == 0) return {};
  return Bytes{input}.first(std::exchange(kept_, {}).size() + got);
}

WebSocket::Message WebSocket::next(Bytes& octets) {
  if (std::exchange(text_is_whole_, false)) text_.clear();
  if (state_ == State::kUpgrading) take_upgrade(octets);
  while (state_ == State::kOpen && !text_is_whole_) {
    if (!take_frame(octets)) return {};
  }
  return text_is_whole_ ? Message{text_} : Message{};
}

void WebSocket::take_upgrade(Bytes& octets) {
  const std::string_view answer = text_of(octets);
  const std::size_t end_of_header = answer.find("\r\n\r\n");
  if (end_of_header == std::string_view::npos) return;
  if (answer.find(" 101 ") > answer.find("\r\n")) return end(std::string{answer.substr(0, answer.find("\r\n"))});
  state_ = State::kOpen;
  octets = octets.subspan(end_of_header + 4);
}

bool WebSocket::take_frame(Bytes& octets) {
  if (octets.size() < 2) return false;
  const std::size_t extended = octets[1] == 127 ? 8 : octets[1] == 126 ? 2 : 0;
  if (octets.size() < 2 + extended) return false;
  std::size_t length = octets[1];
  if (extended > 0) {
    length = 0;
    for (const std::uint8_t octet : octets.subspan(2, extended))
      length = length << 8U | octet;
  }
  if (length > kReadBytes / 2) {
    end("a frame of " + std::to_string(length) + " octets");
    return false;
  }
  if (octets.size() < 2 + extended + length) return false;
  const std::uint8_t opcode = octets[0] & 0x0FU;
  const bool is_final = (octets[0] & kFinal) != 0;
  const std::string_view payload = text_of(octets.subspan(2 + extended, length));
  octets = octets.subspan(2 + extended + length);
  if (opcode >= kClose) {
    on_control(opcode, payload);
  } else {
    text_.append(payload);
    text_is_whole_ = is_final;
  }
  return true;
}

void WebSocket::on_control(std::uint8_t opcode, std::string_view payload) {
  if (opcode == kPing) {
    const auto pong = masked_frame(kPong, payload);
    waiting_.insert(waiting_.end(), pong.begin(), pong.end());
    flush();
  } else if (opcode == kClose) {
    const auto code =
        payload.size() < 2 ? 1005 : static_cast<std::uint8_t>(payload[0]) << 8U | static_cast<std::uint8_t>(payload[1]);
    end("closed with " + std::to_string(code));
  }
}

void WebSocket::keep(Bytes octets) {
  kept_.assign(octets.begin(), octets.end());
}

void WebSocket::end(std::string reason) {
  if (state_ != State::kEnded) reason_ = std::move(reason);
  state_ = State::kEnded;
}

}  // namespace causeway::load
