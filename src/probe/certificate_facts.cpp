// SPDX-License-Identifier: Apache-2.0
#include "probe/certificate_facts.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string_view>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/free_with.hpp"
#include "causeway/base/printable.hpp"

namespace causeway::probe {
namespace {

constexpr int kNamesMax = 5;
constexpr std::size_t kNameOctetsMax = 128;

std::string text_of(const ASN1_STRING* text) {
  const std::string_view octets{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                static_cast<std::size_t>(std::max(0, ASN1_STRING_length(text)))};
  return printable(octets.substr(0, kNameOctetsMax));
}

// The common name, else the organisation.
std::string name_of(const X509_NAME* name) {
  for (const int kind : {NID_commonName, NID_organizationName}) {
    const int at = X509_NAME_get_index_by_NID(name, kind, -1);
    if (at >= 0) return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  }
  return "nobody";
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  const Bytes bytes{ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets))};
  if (bytes.size() == 4) return IpAddress{std::array{bytes[0], bytes[1], bytes[2], bytes[3]}}.to_string();
  if (bytes.size() != 16) return "?";
  std::array<std::uint8_t, 16> v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return IpAddress{v6}.to_string();
}

// Those that clients compare: subjectAltName (RFC 6125 §6.4.4), without them the common name.
std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  if (!names) return name_of(X509_get_subject_name(certificate));
  std::string list;
  const int count = sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < std::min(count, kNamesMax); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    list += list.empty() ? "" : ", ";
    list += name->type == GEN_DNS ? text_of(name->d.dNSName) : address_of(name->d.iPAddress);
  }
  if (count > kNamesMax) list += " and " + std::to_string(count - kNamesMax) + " more";
  return list;
}

std::string validity_of(const X509* certificate, WallTime now) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return "of unknown validity";
  const auto not_after = std::chrono::system_clock::from_time_t(::timegm(&end));
  const auto days =
      std::chrono::floor<std::chrono::days>(not_after - std::chrono::time_point_cast<std::chrono::seconds>(now));
  std::array<char, 16> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d", &end);
  const std::string when = date.data();
  if (days.count() < 0) return "expired on " + when;
  return "valid until " + when + " (" + std::to_string(days.count()) + " days)";
}

bool covers(X509* certificate, const std::string& host) {
  if (IpAddress::parse(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  return X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace

std::string certificate_facts(const SSL* session, const std::string& host, WallTime now) {
  std::string facts = SSL_get_version(session);
  const std::unique_ptr<X509, FreeWith<X509_free>> certificate{SSL_get1_peer_certificate(session)};
  if (!certificate) return facts + "; no certificate";
  facts += "; certificate for " + names_of(certificate.get()) + ", issued by " +
           name_of(X509_get_issuer_name(certificate.get())) + ", " + validity_of(certificate.get(), now);
  if (!covers(certificate.get(), host)) facts += "; it does not name " + host;
  return facts;
}

}  // namespace causeway::probe
