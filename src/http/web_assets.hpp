// SPDX-License-Identifier: Apache-2.0
// The files of web/, built into the binary by cmake/embed_web.cmake.
#pragma once

#include <span>
#include <string_view>

namespace causeway::http {

struct WebAsset {
  std::string_view path;  // from the root, with its leading slash: "/js/signaling.js"
  std::string_view content;
};

std::span<const WebAsset> web_assets() noexcept;

}  // namespace causeway::http
