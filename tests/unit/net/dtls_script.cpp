// SPDX-License-Identifier: Apache-2.0
#include "dtls_script.hpp"

#include <sys/time.h>

#include <ctime>

namespace {

long long fake_microseconds = 0;  // 0: the real time

}  // namespace

// Takes the place of the C library's for OpenSSL too.
extern "C" int gettimeofday(timeval* time, void*) noexcept {
  if (fake_microseconds != 0) {
    time->tv_sec = static_cast<time_t>(fake_microseconds / 1'000'000);
    time->tv_usec = static_cast<suseconds_t>(fake_microseconds % 1'000'000);
    return 0;
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = static_cast<suseconds_t>(now.tv_nsec / 1000);
  return 0;
}

namespace causeway::net {

SystemTime::SystemTime() {
  fake_microseconds = 1'800'000'000'000'000;
}

SystemTime::~SystemTime() {
  fake_microseconds = 0;
}

void SystemTime::advance(std::chrono::milliseconds by) {
  fake_microseconds += by.count() * 1000;
}

DtlsClient::DtlsClient(DtlsScript& to, const Endpoint& address, int version)
    : script(to), from(address), context_(SSL_CTX_new(DTLS_client_method())) {
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
  ssl_.reset(SSL_new(context_.get()));
  for (const auto set : {SSL_set0_rbio, SSL_set0_wbio}) {
    BIO* bio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(bio, -1);
    set(ssl_.get(), bio);
  }
  SSL_set_mtu(ssl_.get(), 1200);
  SSL_set_connect_state(ssl_.get());
}

void DtlsClient::step() {
  ERR_clear_error();
  std::array<char, 20000> message;
  for (;;) {
    const int bytes = SSL_read(ssl_.get(), message.data(), static_cast<int>(message.size()));
    if (bytes <= 0) return;
    messages.emplace_back(message.data(), static_cast<std::size_t>(bytes));
  }
}

std::vector<Datagram> DtlsClient::take_datagrams() {
  step();
  BIO* out = SSL_get_wbio(ssl_.get());
  Datagram all(BIO_ctrl_pending(out));
  if (!all.empty()) BIO_read(out, all.data(), static_cast<int>(all.size()));
  std::vector<Datagram> records;
  for (auto at = all.begin(); at != all.end();) {
    const auto end = at + 13 + load_be16(&at[11]);
    records.emplace_back(at, end);
    at = end;
  }
  return records;
}

void DtlsClient::receive(const Datagram& datagram) {
  BIO_write(SSL_get_rbio(ssl_.get()), datagram.data(), static_cast<int>(datagram.size()));
  step();
}

void DtlsClient::exchange(const IsLost& is_lost) {
  for (;;) {
    const auto datagrams = take_datagrams();
    for (const Datagram& datagram : datagrams)
      if (!is_lost(datagram)) script.deliver(from, datagram);
    auto& answers = script.sent[from];
    if (datagrams.empty() && answers.empty()) return;
    for (; !answers.empty(); answers.pop_front())
      if (!is_lost(answers.front())) receive(answers.front());
  }
}

Datagram DtlsClient::hello_with_cookie() {
  for (const Datagram& datagram : take_datagrams())
    script.deliver(from, datagram);
  receive(script.sent[from].front());
  script.sent[from].clear();
  return take_datagrams().front();
}

}  // namespace causeway::net
