// SPDX-License-Identifier: Apache-2.0
// The first octet says in which pieces the rest arrives, the second how long a message may be. What a client has said
// has to be the same as when it arrives at once, and nobody gets a longer message or text that is not UTF-8.
#include "http/websocket_frames.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "causeway/base/utf8.hpp"

using namespace causeway;
using http::Received;

namespace {

struct Said {
  Received::Kind kind;
  std::string payload;
  std::uint16_t code;
  friend bool operator==(const Said&, const Said&) = default;
};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::vector<Said> read(Bytes stream, std::size_t piece_bytes, std::size_t message_bytes_max) {
  http::FrameReader reader;
  std::vector<Said> said;
  std::vector<std::uint8_t> kept;
  while (!stream.empty()) {
    const Bytes piece = stream.first(std::min(piece_bytes, stream.size()));
    stream = stream.subspan(piece.size());
    kept.insert(kept.end(), piece.begin(), piece.end());
    MutableBytes octets{kept};
    for (;;) {
      const Received one = reader.next(octets, message_bytes_max);
      if (one.kind == Received::Kind::kIncomplete) break;
      if (one.kind == Received::Kind::kText && (one.payload.size() > message_bytes_max || !is_utf8(one.payload)))
        std::abort();
      if (one.kind != Received::Kind::kFragment) said.push_back({one.kind, std::string(one.payload), one.code});
      if (one.kind == Received::Kind::kError) return said;
    }
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(octets.size()));
    if (kept.size() > message_bytes_max + 14) std::abort();
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 2) return 0;
  const Bytes stream{input + 2, size - 2};
  const std::size_t message_bytes_max = std::size_t{input[1]} + 125;  // at least what a control frame may have
  if (read(stream, std::size_t{input[0]} + 1, message_bytes_max) != read(stream, size, message_bytes_max)) std::abort();
  return 0;
}
