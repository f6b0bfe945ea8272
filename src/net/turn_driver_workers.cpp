// SPDX-License-Identifier: Apache-2.0
// Between workers: clients and data that came to one of them and belong to another.
#include "net/run_elsewhere.hpp"
#include "net/system_clock.hpp"
#include "net/turn_driver.hpp"
#include "net/turn_stream_session.hpp"

namespace causeway::net {
namespace {

// The link of a client whose DTLS session another worker has says whose, above the index of the listener.
constexpr unsigned kSessionHolderShift = 32;

}  // namespace

void TurnDriver::mail(turn::WorkerIndex to, WorkerMail mail) {
  if (!workers_[to]->mailbox_.post(std::move(mail))) ++counters_.worker_mail_lost;
}

void TurnDriver::deliver(WorkerMail& mail) {
  if (stopped_) return;
  std::visit([this](auto& one) { on_mail(one); }, mail);
  flush();
  on_idle();
}

// The listeners of all workers have the same order, so that a UDP client's link is good for each of them.
void TurnDriver::hand_over(const turn::HandOver& packet, const turn::ClientRef& sender) {
  if (turn::is_stream(sender.five_tuple.transport)) return streams_.at(sender.link)->hand_over(packet.worker);
  turn::ClientRef client = sender;
  if (client.five_tuple.transport == turn::Transport::kDtls) {
    client.link |= (std::uint64_t{siblings_->index} + 1) << kSessionHolderShift;
  }
  mail(packet.worker, ClientPacketMail{siblings_->index, client, MailedPacket{packet.packet}, packet.traffic_class});
}

void TurnDriver::on_mail(ClientPacketMail& mail) {
  const auto outcome =
      server_.on_client_packet({mail.client, mail.packet.bytes(), mail.traffic_class}, read_clock(), reply_);
  const turn::FiveTuple& client = mail.client.five_tuple;
  if (server_.allocations().find(client) == nullptr) this->mail(mail.from, ClientGivenBackMail{client});
  perform(outcome, &mail.client);
}

void TurnDriver::on_mail(ClientGivenBackMail& mail) {
  server_.on_client_given_back(mail.client);
}

void TurnDriver::on_mail(ClientGoneMail& mail) {
  server_.on_client_gone(mail.client, read_clock());
}

void TurnDriver::send_to_sibling(const turn::ToSibling& data) {
  mail(data.worker, RelayedMail{data.from, data.to, MailedPacket{data.payload}, data.traffic_class});
}

void TurnDriver::on_mail(RelayedMail& mail) {
  perform(server_.on_sibling_packet(mail.from, mail.to, mail.payload.bytes(), read_clock(), mail.traffic_class),
          nullptr);
}

bool TurnDriver::send_to_dtls_session_elsewhere(const turn::ClientRef& client, Bytes message) {
  const auto holder = client.link >> kSessionHolderShift;
  if (holder == 0) return false;
  mail(static_cast<turn::WorkerIndex>(holder - 1), DtlsMail{client, MailedPacket{message}});
  return true;
}

void TurnDriver::on_mail(DtlsMail& mail) {
  dtls_->send(mail.client, mail.message.bytes());
}

asio::awaitable<void> TurnDriver::serve_from_elsewhere(Stream stream, std::vector<std::uint8_t> first_bytes,
                                                       ConnectionFacts facts) {
  const asio::any_io_executor here = mailbox_.executor();
  Stream moved = std::move(stream).move_to(here);
  co_await run_elsewhere(here, serve(std::move(moved), std::move(first_bytes), facts));
}

}  // namespace causeway::net
