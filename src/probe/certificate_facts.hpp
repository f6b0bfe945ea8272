// SPDX-License-Identifier: Apache-2.0
// What an operator wants to know of a server's certificate, in words.
#pragma once

#include <string>

#include "causeway/base/time.hpp"

using SSL = struct ssl_st;

namespace causeway::probe {

// "TLSv1.3; certificate for turn.example.org, issued by Example CA, valid until 2026-12-24 (29 days)", and where its
// names do not cover `host`, that.
std::string certificate_facts(const SSL* session, const std::string& host, WallTime now);

}  // namespace causeway::probe
