// SPDX-License-Identifier: Apache-2.0
// The forms of text that the configuration accepts, each with the words that say so.
#pragma once

#include <optional>
#include <string>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"
#include "config/config.hpp"
#include "config/object_reader.hpp"

namespace causeway::config {

// Names, realms and passwords come out in their OpaqueString form (RFC 8265 §4.2).
extern const TextRule<std::string> kRealmRule;     // RFC 8489 §14.9
extern const TextRule<std::string> kUserNameRule;  // RFC 8489 §14.3, and no colon: EXPIRY:NAME is a credential
extern const TextRule<std::string> kPasswordRule;
extern const TextRule<std::string> kSharedSecretRule;
extern const TextRule<std::string> kTokenAlgorithmRule;  // RFC 7518 §3.1, without "none"
extern const TextRule<std::string> kTokenSecretRule;
extern const TextRule<std::string> kTokenTextRule;   // ids of keys, audiences
extern const TextRule<std::string> kSystemUserRule;  // of this machine
extern const TextRule<std::string> kHostRule;        // a host name (RFC 1123 §2.1) or an IP address
extern const TextRule<std::string> kOriginRule;      // RFC 6454 §6.2
extern const TextRule<IpAddress> kAddressRule;
extern const TextRule<IpAddress> kUnicastAddressRule;  // neither a wildcard nor multicast
extern const TextRule<Prefix> kPrefixRule;
extern const TextRule<Endpoint> kEndpointRule;       // of one machine, as Endpoint::to_string() writes it
extern const TextRule<std::string> kServerNameRule;  // a host name; becomes lower case
extern const TextRule<ExternalAddress> kExternalAddressRule;

// Whom two entries of turn.external_addresses would both stand for, "every IPv4 address"; nullopt: no one.
std::optional<std::string> common_to(const ExternalAddress& one, const ExternalAddress& other);

}  // namespace causeway::config
