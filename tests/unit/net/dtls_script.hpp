// SPDX-License-Identifier: Apache-2.0
// A DtlsEndpoint without sockets, OpenSSL's own clients, and between them a wire that a test can cut. Time is set by
// the test, for OpenSSL as well.
#pragma once

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/dtls_endpoint.hpp"
#include "net/system_random.hpp"
#include "tls_files.hpp"

namespace causeway::net {

using Datagram = std::vector<std::uint8_t>;

// What gettimeofday(2) says in this program while one exists: OpenSSL's clock for retransmissions.
class SystemTime {
 public:
  SystemTime();
  ~SystemTime();
  void advance(std::chrono::milliseconds by);
};

inline Endpoint at(std::string_view address, std::uint16_t port) {
  return {IpAddress::parse(address).value(), port};
}

// The server's end and its owner.
class DtlsScript : public DtlsEndpoint::Owner {
 public:
  explicit DtlsScript(const DtlsLimits& limits = {}) : endpoint(tls_, random_, *this, limits) {}

  turn::ClientRef client(const Endpoint& from) const {
    return {{from, at("192.0.2.10", 5349), turn::Transport::kDtls}, 7};
  }
  void deliver(const Endpoint& from, Bytes datagram) {
    std::copy(datagram.begin(), datagram.end(), room_.begin());
    endpoint.on_datagram(client(from), Bytes{room_}.first(datagram.size()), room_, now);
  }
  void advance(std::chrono::milliseconds by) {
    system_time_.advance(by);
    now.steady += by;
    endpoint.on_timer(now);
  }

  void send_datagram(const turn::ClientRef& to, Bytes datagram) override {
    EXPECT_EQ(to.link, 7u);
    sent[to.five_tuple.client].emplace_back(datagram.begin(), datagram.end());
  }
  void on_dtls_message(const turn::ClientRef& from, MutableBytes message, Now) override {
    messages.emplace_back(as_text(message));
    if (echo) {
      EXPECT_TRUE(endpoint.send(from, message));
    }
  }
  turn::RealmIndex realm_of(const turn::ClientRef&, std::string_view name) const override {
    return name == "turn.example.net" ? turn::RealmIndex{1} : turn::RealmIndex{0};
  }
  void on_dtls_eviction(DtlsShortage, const IpAddress& client, Now) override { evicted.push_back(client); }
  void on_dtls_end(const turn::ClientRef& who, Now) override { ended.push_back(who.five_tuple.client); }
  bool has_allocation(const turn::FiveTuple& who) const override { return allocations.contains(who.client); }

 private:
  TlsFiles files_;
  TlsContext tls_{files_.certificate(), files_.private_key()};
  SystemRandom random_;
  SystemTime system_time_;
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(65536);

 public:
  Now now{TimePoint{std::chrono::hours{5}}, WallTime{std::chrono::seconds{1'800'000'000}}};
  std::map<Endpoint, std::deque<Datagram>> sent;
  std::vector<std::string> messages;
  std::vector<Endpoint> ended;
  std::vector<IpAddress> evicted;  // lost its place
  std::set<Endpoint> allocations;
  bool echo = false;
  DtlsEndpoint endpoint;
};

// Which datagrams get lost: called for each, in both directions.
using IsLost = std::function<bool(const Datagram&)>;
inline bool none(const Datagram&) {
  return false;
}

class DtlsClient {
 public:
  explicit DtlsClient(DtlsScript& script, const Endpoint& from = at("198.51.100.7", 40000),
                      int version = DTLS1_2_VERSION);

  // The records it wants to send now, each as a datagram. The first call begins the handshake.
  std::vector<Datagram> take_datagrams();
  // One datagram from the server, of which a message may come out.
  void receive(const Datagram& datagram);
  void write(std::string_view message) { SSL_write(ssl_.get(), message.data(), static_cast<int>(message.size())); }
  void retransmit() { DTLSv1_handle_timeout(ssl_.get()); }
  SSL* ssl() { return ssl_.get(); }
  bool connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  // Carries datagrams both ways until there are none.
  void exchange(const IsLost& is_lost = none);
  // ClientHello, HelloVerifyRequest: the second ClientHello, with its cookie.
  Datagram hello_with_cookie();

  DtlsScript& script;
  Endpoint from;
  std::vector<std::string> messages;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  void step();

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace causeway::net
