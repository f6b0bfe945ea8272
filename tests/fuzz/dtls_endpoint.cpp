// SPDX-License-Identifier: Apache-2.0
// OpenSSL's client and the endpoint, with the input as the wire between them: two octets for each datagram say whether
// it is lost, sent twice, changed, cut, glued to the next one or sent by another port. Whatever happens, sessions stay
// within their limits, what arrives is what was sent, and nothing is left once everybody has been silent.
#include "net/dtls_endpoint.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "net/system_random.hpp"
#include "tls_files.hpp"

using namespace causeway;
using namespace causeway::net;

namespace {

using Datagram = std::vector<std::uint8_t>;

constexpr std::string_view kMessage = "what the client says";

void require(bool condition) {
  if (!condition) std::abort();
}

turn::ClientRef client_at(std::uint16_t port) {
  const auto address = IpAddress::parse("198.51.100.7").value();
  return {{{address, port}, {IpAddress::parse("192.0.2.10").value(), 5349}, turn::Transport::kDtls}, 0};
}

struct Client {
  explicit Client(SSL_CTX* context) : ssl(SSL_new(context)) {
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_mtu(ssl, 1200);
    SSL_set_connect_state(ssl);
  }
  ~Client() { SSL_free(ssl); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void receive(const Datagram& datagram) {
    BIO_write(SSL_get_rbio(ssl), datagram.data(), static_cast<int>(datagram.size()));
  }
  Datagram step() {
    std::array<char, 20000> message;
    ERR_clear_error();
    while (SSL_read(ssl, message.data(), static_cast<int>(message.size())) > 0) {
    }
    if (SSL_is_init_finished(ssl) == 1) SSL_write(ssl, kMessage.data(), static_cast<int>(kMessage.size()));
    Datagram flight(BIO_ctrl_pending(SSL_get_wbio(ssl)));
    if (!flight.empty()) BIO_read(SSL_get_wbio(ssl), flight.data(), static_cast<int>(flight.size()));
    return flight;
  }

  SSL* ssl;
};

class Run : public DtlsEndpoint::Owner {
 public:
  Run(const TlsContext& tls, RandomSource& random) : endpoint_(tls, random, *this, {4, 3, 5}) {}

  void send_datagram(const turn::ClientRef& to, Bytes datagram) override {
    if (to.five_tuple.client.port == 1) answers_.emplace_back(datagram.begin(), datagram.end());
  }
  void on_dtls_message(const turn::ClientRef& from, MutableBytes message, Now) override {
    require(from.five_tuple.client.port == 1 && as_text(message) == kMessage);
    endpoint_.send(from, message);
  }
  turn::RealmIndex realm_of(const turn::ClientRef&, std::string_view) const override { return 0; }
  void on_dtls_end(const turn::ClientRef&, Now) override {}
  bool has_allocation(const turn::FiveTuple&) const override { return false; }

  void play(SSL_CTX* context, Bytes script) {
    auto client = std::make_unique<Client>(context);
    for (; script.size() >= 2; script = script.subspan(2)) {
      const std::uint8_t action = script[0];
      if (action >= 0xF0) client = std::make_unique<Client>(context);  // starts anew from the same port
      if (action >= 0xE0) tick(std::chrono::seconds{script[1]});
      for (; !answers_.empty(); answers_.pop_front())
        client->receive(answers_.front());
      Datagram flight = client->step();
      if (flight.empty()) continue;
      change(flight, action, script[1]);
      deliver(flight, (action & 0x18) == 0x18 ? static_cast<std::uint16_t>(2 + script[1] % 8) : std::uint16_t{1});
      if ((action & 0x07) == 7) deliver(flight, 1);
      require(endpoint_.clients() <= 5 && endpoint_.handshakes() <= 4);
    }
    tick(std::chrono::minutes{10});
    tick(std::chrono::minutes{10});
    require(endpoint_.clients() == 0 && endpoint_.handshakes() == 0 && !endpoint_.next_deadline());
  }

 private:
  static void change(Datagram& flight, std::uint8_t action, std::uint8_t argument) {
    const std::size_t at = argument * flight.size() / 256;
    if ((action & 0x07) == 1) flight[at] = static_cast<std::uint8_t>(flight[at] ^ (1 << (action >> 5)));
    if ((action & 0x07) == 2) flight.resize(at);
    if ((action & 0x07) == 3) flight.clear();
    if ((action & 0x07) == 4) flight[argument % std::min<std::size_t>(flight.size(), 64)] = action;
  }
  void deliver(const Datagram& datagram, std::uint16_t port) {
    std::copy(datagram.begin(), datagram.end(), room_.begin());
    endpoint_.on_datagram(client_at(port), Bytes{room_}.first(datagram.size()), room_, now_);
  }
  void tick(std::chrono::seconds by) {
    now_.steady += by;
    endpoint_.on_timer(now_);
  }

  DtlsEndpoint endpoint_;
  std::deque<Datagram> answers_;
  Now now_{TimePoint{std::chrono::hours{5}}, WallTime{std::chrono::seconds{1'800'000'000}}};
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(65536);
};

struct Surroundings {
  TlsFiles files;
  TlsContext tls{files.certificate(), files.private_key()};
  SystemRandom random;
  SSL_CTX* context = SSL_CTX_new(DTLS_client_method());

  Surroundings() { SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  static Surroundings surroundings;  // making keys takes longer than a run
  if (size > 64) return 0;
  Run{surroundings.tls, surroundings.random}.play(surroundings.context, {input, size});
  return 0;
}
