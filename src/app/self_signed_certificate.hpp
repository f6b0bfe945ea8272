// SPDX-License-Identifier: Apache-2.0
// The certificate that the daemon makes for itself where none is configured, so that browsers in the LAN get https
// (after one warning) and with it the camera. P-256, ECDSA with SHA-256, for TLS servers only, no authority.
// Errors are std::runtime_error with a sentence.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/time.hpp"

namespace causeway::app {

// RFC 5280 §4.2.1.6: what the certificate is for.
struct SubjectNames {
  std::vector<std::string> host_names;
  std::vector<IpAddress> addresses;
};

// localhost, the machine's name and its addresses, link-local ones aside.
SubjectNames local_subject_names();

inline constexpr std::chrono::days kCertificateLife{825};  // the most that Apple's systems take
inline constexpr std::chrono::days kCertificateRenewal{30};

std::string make_private_key_pem();
std::string make_certificate_pem(std::string_view private_key_pem, const SubjectNames& names, WallTime now);

// Of the first certificate and the key. Throws where either is none, or where they do not belong together.
struct CertificateFacts {
  WallTime not_after;
  bool is_self_issued;
};
CertificateFacts inspect_certificate(std::string_view certificate_pem, std::string_view private_key_pem);

}  // namespace causeway::app
