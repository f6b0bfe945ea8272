// SPDX-License-Identifier: Apache-2.0
// The first octet says in which pieces the rest arrives. Frames have to be the same as when it arrives at once, octet
// for octet in front of an error, and their headroom must be writable.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "causeway/stun/framer.hpp"

using namespace causeway;

namespace {

std::vector<std::uint8_t> frames_of(Bytes stream, std::size_t piece_bytes) {
  stun::StreamFramer framer;
  std::vector<std::uint8_t> frames;
  while (!stream.empty()) {
    const MutableBytes room = framer.prepare();
    const std::size_t taken = std::min({room.size(), piece_bytes, stream.size()});
    if (taken == 0) std::abort();
    std::copy_n(stream.begin(), taken, room.begin());
    framer.commit(taken);
    stream = stream.subspan(taken);
    for (;;) {
      const auto frame = framer.next();
      if (!frame) return frames;
      if (!*frame) break;
      const MutableBytes octets = **frame;
      std::memset(octets.data() - stun::StreamFramer::kHeadroomBytes, 0xDD, stun::StreamFramer::kHeadroomBytes);
      frames.insert(frames.end(), octets.begin(), octets.end());
    }
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size == 0) return 0;
  const Bytes stream{input + 1, size - 1};
  if (frames_of(stream, std::size_t{input[0]} + 1) != frames_of(stream, stream.size())) std::abort();
  return 0;
}
