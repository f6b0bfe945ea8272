// SPDX-License-Identifier: Apache-2.0
#include "net/dtls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/time.h>

#include <algorithm>
#include <limits>
#include <new>

#include "net/dtls_record.hpp"

namespace causeway::net {
namespace {

// RFC 6347 §4.2.2: type, length, number, offset and length of the handshake message behind the record's header; then
// the version of the client and its random.
constexpr std::size_t kHandshakeTypeAt = kRecordHeaderBytes;
constexpr std::size_t kFragmentOffsetAt = kHandshakeTypeAt + 6;
constexpr std::size_t kRandomAt = kHandshakeTypeAt + 12 + 2;
constexpr std::uint8_t kClientHello = 1;

std::size_t count_encrypted_records(Bytes datagram) noexcept {
  std::size_t count = 0;
  while (datagram.size() >= kRecordHeaderBytes) {
    if (load_be16(datagram.data() + kRecordEpochAt) != 0) ++count;
    const std::size_t record_bytes = kRecordHeaderBytes + load_be16(datagram.data() + kRecordLengthAt);
    datagram = datagram.subspan(std::min(record_bytes, datagram.size()));
  }
  return count;
}

struct FreeBioAddress {
  void operator()(BIO_ADDR* address) const noexcept { BIO_ADDR_free(address); }
};

}  // namespace

std::optional<ClientRandom> find_client_hello(Bytes datagram) noexcept {
  ClientRandom random{};
  if (datagram.size() < kRandomAt + random.size()) return std::nullopt;
  if (datagram[0] != kRecordHandshake || datagram[1] != DTLS1_VERSION_MAJOR) return std::nullopt;
  if (load_be16(datagram.data() + kRecordEpochAt) != 0 || datagram[kHandshakeTypeAt] != kClientHello)
    return std::nullopt;
  // RFC 6347 §4.2.1: only the first fragment says who it is; OpenSSL wants the cookie in it as well.
  if (datagram[kFragmentOffsetAt] != 0 || load_be16(datagram.data() + kFragmentOffsetAt + 1) != 0) return std::nullopt;
  std::copy_n(datagram.begin() + kRandomAt, random.size(), random.begin());
  return random;
}

DtlsSession::DtlsSession(std::shared_ptr<const DtlsContext> context, const DtlsCookies& cookies, Wire& wire)
    : context_(std::move(context)), cookies_(cookies), wire_(wire), ssl_(SSL_new(context_->native_handle())) {
  BIO* bio = BIO_new(context_->datagram_method());
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_mtu(ssl_.get(), DtlsContext::kHandshakeDatagramBytes);
  SSL_set_accept_state(ssl_.get());
}

bool DtlsSession::listen(const turn::ClientRef& client, const ClientRandom& random, Bytes datagram, TimePoint now) {
  const std::unique_ptr<BIO_ADDR, FreeBioAddress> unused{BIO_ADDR_new()};  // the address is known without the BIO
  if (!unused) throw std::bad_alloc();
  client_ = client;
  listened_at_ = now;
  ERR_clear_error();
  incoming_ = datagram;
  // Forgets first whatever an earlier ClientHello has left in it.
  const bool verified = DTLSv1_listen(ssl_.get(), unused.get()) > 0;
  incoming_ = {};
  if (!verified) return false;
  client_random_ = random;
  last_message_at = now;
  state_ = State::kHandshaking;
  return true;
}

void DtlsSession::receive(Bytes datagram) noexcept {
  if (state_ == State::kHandshaking) {
    // OpenSSL may keep 100 of them, each in a buffer of 17 KiB, before it can tell whether they are authentic.
    early_records_ += count_encrypted_records(datagram);
    if (early_records_ > kEarlyRecordsMax) return;
  }
  incoming_ = datagram;
}

std::size_t DtlsSession::read(MutableBytes room) {
  if (state_ == State::kListening || state_ == State::kEnded) return 0;
  ERR_clear_error();
  const auto room_bytes = static_cast<int>(std::min(room.size(), std::size_t{std::numeric_limits<int>::max()}));
  const int result = SSL_read(ssl_.get(), room.data(), room_bytes);
  if (state_ == State::kHandshaking && SSL_is_init_finished(ssl_.get()) == 1) state_ = State::kEstablished;
  if (result > 0) return static_cast<std::size_t>(result);
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_ZERO_RETURN:  // RFC 5246 §7.2.1: close_notify is answered by close_notify
      close();
      break;
    default:
      state_ = State::kEnded;
  }
  return 0;
}

bool DtlsSession::write(Bytes message) {
  if (state_ != State::kEstablished || message.empty() || message.size() > kMessageBytesMax) return false;
  ERR_clear_error();
  return SSL_write(ssl_.get(), message.data(), static_cast<int>(message.size())) > 0;
}

std::optional<Duration> DtlsSession::retransmission_in() const {
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) != 1) return std::nullopt;
  return std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
}

void DtlsSession::retransmit() {
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) state_ = State::kEnded;  // too often in vain
}

void DtlsSession::close() {
  if (state_ == State::kEstablished) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  state_ = State::kEnded;
}

}  // namespace causeway::net
