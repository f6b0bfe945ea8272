// SPDX-License-Identifier: Apache-2.0
// What a failure means to an operator, and what to do about it.
#pragma once

#include <cstdint>
#include <string_view>

#include "causeway/stun/types.hpp"
#include "probe/transport.hpp"

namespace causeway::probe {

// `code` is 0 where the error response has none. `authenticated`: the request proved knowledge of a password.
ProbeError describe_error_response(stun::Method method, std::uint16_t code, bool authenticated, bool has_credential);

// No answer to a request that was sent `count` times.
ProbeError describe_silence(bool reliable, int count);

// errno of connect, send or receive.
ProbeError describe_socket_error(std::string_view what, int error);

// The result of OpenSSL's certificate check, an X509_V_ERR_… for `host`. `facts` are those of the certificate.
ProbeError describe_certificate_error(long verify_result, std::string_view host, std::string_view facts);

}  // namespace causeway::probe
