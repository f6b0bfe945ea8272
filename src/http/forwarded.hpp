// SPDX-License-Identifier: Apache-2.0
// Who is behind the HTTP proxies in front of this server. Each of them adds whom it was asked by to the header
// Forwarded (RFC 7239) or to its older forms, X-Forwarded-For and X-Forwarded-Proto. What is at the left of an
// untrusted address was written by a stranger.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"

namespace causeway::http {

// Only one of them is read: a proxy that writes the one passes on the other as the client has sent it.
enum class ForwardedHeader : std::uint8_t { kXForwardedFor, kForwarded };

std::string_view name_of(ForwardedHeader header) noexcept;  // "X-Forwarded-For" …

struct TrustedProxies {
  std::vector<Prefix> prefixes;
  ForwardedHeader header = ForwardedHeader::kXForwardedFor;

  bool contain(const IpAddress& address) const noexcept;
};

// The end of the chain that is known for sure.
struct ForwardedClient {
  IpAddress address;
  bool is_tls = false;  // whether it uses https or wss
};

// Whether the request has one of these headers at all.
bool is_forwarded(const boost::beast::http::fields& header);

// `sender`, whose address is a trusted one, has sent the request: `sender` itself where it names nobody. nullopt: what
// it says cannot be read.
std::optional<ForwardedClient> client_behind(const ForwardedClient& sender, const boost::beast::http::fields& header,
                                             const TrustedProxies& proxies);

}  // namespace causeway::http
