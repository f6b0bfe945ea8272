// SPDX-License-Identifier: Apache-2.0
#include "signaling/dialect.hpp"

#include <charconv>

#include "load/command_line.hpp"

namespace causeway::load {
namespace {

// Of `"KEY":"VALUE"`, the first one behind `behind`. None of the values has anything escaped.
std::string value_of(std::string_view text, std::string_view key, std::string_view behind = {}) {
  std::string quoted{"\""};
  quoted.append(key).append("\":\"");
  const std::size_t from = text.find(behind);
  const std::size_t at = from == std::string_view::npos ? from : text.find(quoted, from);
  if (at == std::string_view::npos) return {};
  const std::string_view value = text.substr(at + quoted.size());
  return std::string{value.substr(0, value.find('"'))};
}

class Causeway final : public Dialect {
 public:
  std::string target(const Seat&) const override { return "/ws"; }

  std::string greeting(const Seat& seat) const override {
    std::string join =
        R"({"type":"join","room":")" + seat.room + R"(","name":"Member )" + std::to_string(seat.which) + "\"";
    if (!seat.resume_token.empty()) {
      join += R"(,"resume":{"token":")" + seat.resume_token + R"(","seq":)" + std::to_string(seat.seq) + "}";
    }
    return join + "}";
  }

  Step enter(std::string_view text, Seat& seat) const override {
    if (!text.starts_with(R"({"type":"joined")")) return {};
    seat.resume_token = value_of(text, "token", "\"resume\":{");
    seat.self = value_of(text, "member", "\"self\":{");
    const std::string other = value_of(text, "member", "\"members\":[{");
    if (!other.empty()) seat.other = other;
    seat.seq = 0;
    const bool is_resumed = text.find("\"received\":") != std::string_view::npos;
    return {.is_joined = true, .is_resumed = is_resumed};
  }

  std::string answer(std::string_view text, Seat& seat) const override {
    if (text.starts_with(R"({"type":"member-joined")")) seat.other = value_of(text, "member");
    return {};
  }

  void note(std::string_view text, Seat& seat) const override {
    constexpr std::string_view kSeq = "\"seq\":";
    const std::size_t at = text.rfind(kSeq);
    if (at != std::string_view::npos) std::from_chars(text.data() + at + kSeq.size(), text.end(), seat.seq);
  }

  bool can_send(const Seat& seat) const override { return !seat.other.empty(); }

  std::string candidate(const Seat& seat, std::string_view value) const override {
    return R"({"type":"candidate","to":")" + seat.other + R"(","candidate":)" + std::string{value} + "}";
  }
};

// Our own relay on npm's ws: tests/bench/others/ws.mjs.
class Ws final : public Dialect {
 public:
  std::string target(const Seat& seat) const override {
    return "/?room=" + seat.room + "&member=" + std::to_string(seat.which);
  }
  Step enter(std::string_view text, Seat&) const override {
    return {.is_joined = text.starts_with(R"({"type":"joined")")};
  }
  std::string candidate(const Seat&, std::string_view value) const override {
    return R"({"type":"candidate","candidate":)" + std::string{value} + "}";
  }
};

// Engine.IO 4 over WebSocket, and Socket.IO 5 in it.
class SocketIo final : public Dialect {
 public:
  std::string target(const Seat&) const override { return "/socket.io/?EIO=4&transport=websocket"; }
  Step enter(std::string_view text, Seat& seat) const override {
    if (text.starts_with("0{")) return {.say = "40"};  // the handshakes of the two layers
    if (text.starts_with("40{")) return {.say = R"(420["join",")" + seat.room + "\"]"};
    return {.is_joined = text.starts_with("430"), .say = answer(text, seat)};
  }
  std::string answer(std::string_view text, Seat&) const override { return text == "2" ? "3" : ""; }
  std::string candidate(const Seat&, std::string_view value) const override {
    return R"(42["candidate",)" + std::string{value} + "]";
  }
};

// What the library peerjs sends.
class PeerJs final : public Dialect {
 public:
  std::string target(const Seat& seat) const override {
    return "/peerjs?key=peerjs&id=" + id(seat, seat.which) + "&token=" + id(seat, seat.which) + "&version=1.5.4";
  }
  Step enter(std::string_view text, Seat&) const override { return {.is_joined = text == R"({"type":"OPEN"})"}; }
  std::string candidate(const Seat& seat, std::string_view value) const override {
    return R"({"type":"CANDIDATE","payload":{"candidate":)" + std::string{value} +
           R"(,"type":"data","connectionId":"dc_k5x9w2m7q1"},"dst":")" + id(seat, 1 - seat.which) + R"("})";
  }

 private:
  static std::string id(const Seat& seat, int which) { return seat.room + "-" + std::to_string(which); }
};

}  // namespace

std::unique_ptr<Dialect> make_dialect(const std::string& kind) {
  if (kind.empty() || kind == "causeway") return std::make_unique<Causeway>();
  if (kind == "ws") return std::make_unique<Ws>();
  if (kind == "socket.io") return std::make_unique<SocketIo>();
  if (kind == "peerjs") return std::make_unique<PeerJs>();
  complain("no kind of signaling server " + kind);
}

}  // namespace causeway::load
