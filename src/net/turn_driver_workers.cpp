// SPDX-License-Identifier: Apache-2.0
// Between workers: clients and data that came to one of them and belong to another.
#include <cerrno>
#include <system_error>

#include "net/run_elsewhere.hpp"
#include "net/system_clock.hpp"
#include "net/turn_driver.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {
namespace {

// The link of a client whose DTLS session another worker has says whose, above the index of the listener.
constexpr unsigned kSessionHolderShift = 32;

}  // namespace

void TurnDriver::join(std::vector<TurnDriver*> workers) {
  workers_ = std::move(workers);
  if (siblings_ == nullptr) return;
  mailbox_.emplace(workers_.size());
  if (!loop_.add(mailbox_->descriptor(), kMailToken))
    throw std::system_error(errno, std::generic_category(), "Cannot watch the mail between workers");
}

void TurnDriver::mail(turn::WorkerIndex to, const WorkerMail& mail, Bytes packet) {
  if (!workers_[to]->mailbox_->post(siblings_->index, mail, packet)) ++counters_.worker_mail_lost;
}

void TurnDriver::read_mail() {
  mailbox_->collect([this](const MailRing::Letter& letter) {
    ++datagrams_;
    std::visit([&](const auto& mail) { on_mail(mail, letter.packet); }, letter.mail);
  });
}

// The listeners of all workers have the same order, so that a UDP client's link is good for each of them.
void TurnDriver::hand_over(const turn::HandOver& packet, const turn::ClientRef& sender) {
  if (turn::is_stream(sender.five_tuple.transport)) return streams_.at(sender.link)->hand_over(packet.worker);
  turn::ClientRef client = sender;
  if (client.five_tuple.transport == turn::Transport::kDtls) {
    client.link |= (std::uint64_t{siblings_->index} + 1) << kSessionHolderShift;
  }
  mail(packet.worker, ClientPacketMail{siblings_->index, client, packet.traffic_class}, packet.packet);
}

void TurnDriver::on_mail(const ClientPacketMail& mail, MutableBytes packet) {
  const auto outcome = server_.on_client_packet({mail.client, packet, mail.traffic_class}, now_, reply_);
  const turn::FiveTuple& client = mail.client.five_tuple;
  if (server_.allocations().find(client) == nullptr) this->mail(mail.from, ClientGivenBackMail{client});
  perform(outcome, &mail.client);
}

void TurnDriver::on_mail(const ClientGivenBackMail& mail, MutableBytes /*none*/) {
  server_.on_client_given_back(mail.client);
}

void TurnDriver::on_mail(const ClientGoneMail& mail, MutableBytes /*none*/) {
  server_.on_client_gone(mail.client, now_);
}

void TurnDriver::send_to_sibling(const turn::ToSibling& data) {
  mail(data.worker, RelayedMail{data.from, data.to, data.traffic_class}, data.payload);
}

void TurnDriver::on_mail(const RelayedMail& mail, MutableBytes payload) {
  perform(server_.on_sibling_packet(mail.from, mail.to, payload, now_, mail.traffic_class), nullptr);
}

bool TurnDriver::send_to_dtls_session_elsewhere(const turn::ClientRef& client, Bytes message) {
  const auto holder = client.link >> kSessionHolderShift;
  if (holder == 0) return false;
  mail(static_cast<turn::WorkerIndex>(holder - 1), DtlsMail{client}, message);
  return true;
}

void TurnDriver::on_mail(const DtlsMail& mail, MutableBytes message) {
  dtls_->send(mail.client, message);
}

asio::awaitable<void> TurnDriver::serve_from_elsewhere(Stream stream, std::vector<std::uint8_t> first_bytes,
                                                       ConnectionFacts facts) {
  const asio::any_io_executor here = timer_.get_executor();
  Stream moved = std::move(stream).move_to(here);
  co_await run_elsewhere(here, serve(std::move(moved), std::move(first_bytes), facts));
}

}  // namespace causeway::net
