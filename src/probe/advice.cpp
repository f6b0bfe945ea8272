// SPDX-License-Identifier: Apache-2.0
#include "probe/advice.hpp"

#include <openssl/x509_vfy.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace causeway::probe {
namespace {

using stun::ErrorCode;
using stun::Method;

std::string advice_for_401(bool authenticated, bool has_credential) {
  if (!has_credential) return "The server wants to know who you are: give --user and --password, or --secret";
  if (!authenticated) return "The answer has no realm and nonce, so nobody can authenticate; is this a TURN server?";
  return "User, password or secret are wrong, or a time-limited username has expired: compare the clocks of both "
         "machines, and the realm of the server";
}

std::string advice_for(Method method, std::uint16_t code) {
  switch (static_cast<ErrorCode>(code)) {
    case ErrorCode::kTryAlternate:
      return "The server sends clients elsewhere: probe the other server";
    case ErrorCode::kBadRequest:
      return "The server did not understand the request; is this a TURN server, or a proxy in front of one?";
    case ErrorCode::kForbidden:
      return method == Method::kAllocate ? "This user may not relay here"
                                         : "The peer is in a range that the server refuses: see turn.peers.allow and "
                                           "turn.peers.lan of its configuration";
    case ErrorCode::kUnknownAttribute:
      return "The server is older than RFC 5766, or does not speak TURN";
    case ErrorCode::kAllocationMismatch:
      return "The server does not know the allocation: it restarted, a NAT changed this client's port, or the "
             "allocation expired";
    case ErrorCode::kStaleNonce:
      return "The server refuses its own nonces again and again: do several servers with different keys share the "
             "address?";
    case ErrorCode::kAddressFamilyNotSupported:
      return "The server has no relay address of the family: see turn.relay.addresses of its configuration";
    case ErrorCode::kWrongCredentials:
      return "The allocation belongs to another user";
    case ErrorCode::kUnsupportedTransportProtocol:
      return "The server does not relay UDP";
    case ErrorCode::kPeerAddressFamilyMismatch:
      return "The peer's address is of another family than the relayed address: give a --peer of that family";
    case ErrorCode::kAllocationQuotaReached:
      return "The user has too many allocations (this command makes two): see turn.limits.allocations_per_user, or "
             "wait "
             "until they expire";
    case ErrorCode::kInsufficientCapacity:
      return "The server has no relay port or no room left: see turn.relay.port_min and port_max, and "
             "turn.limits.allocations_total";
    case ErrorCode::kServerError:
      return "The server failed by itself: look at its log";
    default:
      return "Look at the server's log";
  }
}

}  // namespace

ProbeError describe_error_response(Method method, std::uint16_t code, bool authenticated, bool has_credential) {
  if (code == 0) return {"an error response without a code", "This is no STUN server"};
  std::string detail = "error " + std::to_string(code);
  const auto phrase = stun::reason_phrase(static_cast<ErrorCode>(code));
  if (!phrase.empty()) detail += " " + std::string{phrase};
  ProbeError error{std::move(detail),
                   code == 401 ? advice_for_401(authenticated, has_credential) : advice_for(method, code)};
  error.code = code;
  return error;
}

ProbeError describe_silence(bool reliable, int count) {
  ProbeError described;
  described.is_silence = true;
  if (reliable) {
    described.detail = "no answer on the open connection";
    described.advice = "Something else than a STUN server has this port, or a proxy holds the data back";
  } else {
    described.detail = "no answer to " + std::to_string(count) + (count == 1 ? " packet" : " packets");
    described.advice =
        "A firewall drops UDP to this port or the answers, or no server runs there; try transport=tcp too";
  }
  return described;
}

ProbeError describe_socket_error(std::string_view what, int error) {
  ProbeError described{std::string{what} + ": " + std::generic_category().message(error), "Check address and network"};
  described.system_error = error;
  if (error == ECONNREFUSED) {
    described.advice = "Nothing listens on this port: is the server running, and does it listen with this transport?";
  } else if (error == ETIMEDOUT) {
    described.advice = "A firewall drops the packets, or the machine is down";
  } else if (error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL) {
    described.advice = "This machine has no route to the address; where it is IPv6, the network may lack it";
  } else if (error == ECONNRESET || error == EPIPE) {
    described.advice = "The server or something between closed the connection: does the port speak another protocol?";
  }
  return described;
}

ProbeError describe_certificate_error(long verify_result, std::string_view host, std::string_view facts) {
  std::string detail = "the certificate is not accepted: ";
  detail += X509_verify_cert_error_string(verify_result);
  detail.append(" (").append(facts).append(")");
  switch (verify_result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {detail, "The certificate is not for " + std::string{host} +
                          ": use the name in it, or get one that names this host"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {detail, "Renew the certificate, and restart the server if it has been renewed"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {detail, "The clock of this machine is wrong, or the certificate was made for later"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {detail,
              "Browsers will refuse TURN over TLS here: use a certificate of a known authority, or give --ca "
              "FILE or --insecure to go on"};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {detail,
              "tls.certificate of the server must hold the issuers behind its own certificate, or the authority "
              "is unknown here: give --ca FILE"};
    default:
      return {detail, "Look at the certificate with openssl s_client; --insecure goes on without the check"};
  }
}

}  // namespace causeway::probe
