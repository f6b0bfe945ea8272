// SPDX-License-Identifier: Apache-2.0
// Any text is either a configuration or at least one finding in words.
#include <cstdlib>

#include "causeway/base/bytes.hpp"
#include "config/load.hpp"

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto config = config::load_text(as_text({input, size}), "causeway.json", {{"HOME", "/"}});
  if (config) {
    if (config->listeners.empty() || config->turn.relay.port_min > config->turn.relay.port_max) std::abort();
    return 0;
  }
  if (config.error().empty()) std::abort();
  for (const config::Finding& finding : config.error()) {
    if (finding.sentence.empty()) std::abort();
  }
  return 0;
}
