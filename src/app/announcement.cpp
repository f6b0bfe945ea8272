// SPDX-License-Identifier: Apache-2.0
#include "app/announcement.hpp"

#include <optional>

namespace causeway::app {
namespace {

using config::Listener;
using config::Transport;

std::optional<std::uint16_t> default_port(const std::string& scheme) {
  if (scheme == "http") return std::uint16_t{80};
  if (scheme == "https") return std::uint16_t{443};
  return std::nullopt;
}

std::string url(const Listener& listener, const std::string& host) {
  const std::string scheme = listener.transport == Transport::kTls ? "https" : "http";
  if (default_port(scheme) == listener.port) return scheme + "://" + host;
  return scheme + "://" + host + ":" + std::to_string(listener.port);
}

std::string host_of(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

const Listener* find_pages(const std::vector<Listener>& listeners, Transport transport, bool loopback_will_do) {
  for (const Listener& listener : listeners) {
    if (!listener.http || listener.transport != transport || !listener.proxy_protocol.empty()) continue;
    if (loopback_will_do || !listener.address.is_loopback()) return &listener;
  }
  return nullptr;
}

std::string local_url(const Listener& listener) {
  return url(listener, listener.address.is_unspecified() ? "localhost" : host_of(listener.address));
}

std::string line(const char* what, const std::string& text) {
  std::string label = what;
  label.resize(22, ' ');
  return "  " + label + text + "\n";
}

// The name that is configured, else the first address that other machines could use.
std::string remote_lines(const AnnouncementFacts& facts, const Listener& https) {
  std::string host;
  if (facts.config.turn.public_host) {
    host = *facts.config.turn.public_host;
  } else if (!https.address.is_unspecified()) {
    host = host_of(https.address);
  } else if (!facts.lan_addresses.empty()) {
    host = host_of(facts.lan_addresses.front());
  } else {
    return {};
  }
  std::string lines = line("From other machines:", url(https, host) + "/");
  if (!facts.config.tls.certificate) {
    lines += line("", "The browser warns once: the certificate is self-signed, made at the first start.");
    lines += line("", "Cameras work only over https or on localhost. Set tls.certificate for a real one.");
  }
  return lines;
}

}  // namespace

std::string public_url(const config::Config& config) {
  const Listener* https = find_pages(config.listeners, Transport::kTls, false);
  return https != nullptr && config.turn.public_host ? url(*https, *config.turn.public_host) : std::string{};
}

std::string announcement(const AnnouncementFacts& facts) {
  std::string text = "Causeway is running.\n";
  const Listener* http = find_pages(facts.bound, Transport::kTcp, true);
  const Listener* https = find_pages(facts.bound, Transport::kTls, true);
  const Listener* local = http != nullptr ? http : https;
  if (local != nullptr) text += line("On this machine:", local_url(*local) + "/");
  if (const Listener* remote = find_pages(facts.bound, Transport::kTls, false)) text += remote_lines(facts, *remote);
  if (local != nullptr) text += line("Relay test page:", local_url(*local) + "/test");

  std::string listening;
  for (const Listener& listener : facts.bound) {
    if (!listener.turn) continue;
    listening += (listening.empty() ? "" : ", ") + listener.endpoint().to_string() + " " + name_of(listener.transport);
    if (!listener.proxy_protocol.empty()) listening += " (from proxies)";
  }
  if (!listening.empty()) text += line("STUN and TURN on:", listening);
  text += line("Configuration:", facts.config.file ? facts.config.file->string()
                                                   : "none read, these are the defaults; put yours into "
                                                     "/etc/causeway/causeway.json or name it with --config");
  text += line("Admin token:", "in " + facts.admin_token_file.string());
  return text;
}

}  // namespace causeway::app
