// SPDX-License-Identifier: Apache-2.0
// Reading PEM with OpenSSL (RFC 7468) where nobody can type a passphrase.
#pragma once

namespace causeway::app {

// A pem_password_cb that makes reading an encrypted key fail.
inline int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace causeway::app
