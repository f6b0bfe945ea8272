// SPDX-License-Identifier: Apache-2.0
#include "http/signaling_service.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "http/websocket_session.hpp"
#include "net/system_clock.hpp"
#include "net/system_random.hpp"
#include "signaling/codec.hpp"

namespace causeway::http {
namespace {

constexpr std::chrono::seconds kStopDeadline{2};
constexpr std::size_t kInputBytes = 16 * 1024;
// Everybody can open sessions and end them.
constexpr LineRate kEndLinesPerSource{std::chrono::seconds{3}, 20};
constexpr LineRate kEndLinesInAll{std::chrono::seconds{1}, 100};

}  // namespace

// Keeps a session in the table for as long as its coroutine runs, however that ends.
class SignalingService::Registration {
 public:
  Registration(SignalingService& service, std::shared_ptr<WebSocketSession> session)
      : service_(service), session_(std::move(session)) {
    service_.sessions_.emplace(session_->id(), session_);
  }
  ~Registration() {
    if (!left_) session_->abort();  // its coroutine was cancelled
    service_.sessions_.erase(session_->id());
    service_.perform(
        service_.hub_.on_close(session_->id(), left_.value_or(signaling::LeftReason::kLost), read_clock()));
    if (service_.sessions_.empty()) service_.drained_.cancel();
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  void set_left(signaling::LeftReason left) noexcept { left_ = left; }

 private:
  SignalingService& service_;
  std::shared_ptr<WebSocketSession> session_;
  std::optional<signaling::LeftReason> left_;
};

SignalingService::SignalingService(const asio::any_io_executor& executor, signaling::Hub& hub,
                                   SignalingServiceOptions options, Logger logger)
    : hub_(hub),
      options_(std::move(options)),
      logger_(std::move(logger)),
      end_lines_(net::SystemRandom{}.next(), kEndLinesPerSource, kEndLinesInAll),
      hub_timer_(executor),
      drained_(executor),
      input_(kInputBytes) {}

SignalingService::~SignalingService() = default;

asio::awaitable<void> SignalingService::serve(net::Stream stream, std::unique_ptr<WebSocketUpgrade> upgrade) {
  if (is_stopping_) {
    ++counters_.upgrades_failed;
    co_return;
  }
  const signaling::SessionId id{++last_session_id_};
  auto session = std::make_shared<WebSocketSession>(std::move(stream), id, *upgrade, *this, logger_);
  {
    Registration registration(*this, session);
    session->accept(upgrade->request);
    {
      const Gathering gathering(*this);
      perform(hub_.open(id, upgrade->open, read_clock()));
      notice_joined(*session);
      session->flush();
    }
    upgrade.reset();  // the session stays for hours
    const signaling::LeftReason left = co_await session->read();
    registration.set_left(left);
  }
  co_await session->linger();
}

void SignalingService::on_text(signaling::SessionId id, std::string_view text) {
  ++counters_.messages_received;
  const auto message = signaling::parse_client_message(text);
  perform(message ? hub_.on_message(id, *message, read_clock()) : hub_.on_bad_message(id, message.error()));
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) notice_joined(*found->second);
}

void SignalingService::notice_joined(WebSocketSession& session) {
  if (!session.has_joined() && hub_.is_member(session.id())) session.on_joined();
}

void SignalingService::on_unacceptable(signaling::SessionId id, signaling::CloseReason reason) {
  perform(hub_.end(id, reason, read_clock()));
}

void SignalingService::on_acknowledged(signaling::SessionId id, std::uint64_t seq) {
  hub_.on_acknowledged(id, seq);
}

void SignalingService::perform(signaling::Deliveries deliveries) {
  const Gathering gathering(*this);
  // A reader that is too slow ends only after the whole list is performed: its end is an event with deliveries of its
  // own, and those come later.
  std::vector<signaling::SessionId> slow = send(deliveries);
  while (!slow.empty()) {
    const signaling::SessionId id = slow.back();
    slow.pop_back();
    const std::vector<signaling::SessionId> more =
        send(hub_.end(id, signaling::CloseReason::kSlowReader, read_clock()));
    slow.insert(slow.end(), more.begin(), more.end());
  }
  arm_timer();
}

// Returns the sessions whose queue is full. They get nothing of what is left of the list.
std::vector<signaling::SessionId> SignalingService::send(const signaling::Deliveries& deliveries) {
  std::vector<signaling::SessionId> slow;
  signaling::DeliveryWriter writer;
  for (const signaling::Delivery& delivery : deliveries) {
    const auto found = sessions_.find(delivery.receiver);
    if (found == sessions_.end()) continue;
    WebSocketSession& session = *found->second;
    if (unflushed_.empty() || unflushed_.back() != found->second) unflushed_.push_back(found->second);
    notice_joined(session);  // a visitor joins when a moderator admits it
    const bool is_last = delivery.close.has_value();
    if (delivery.close == signaling::CloseReason::kSlowReader) session.drop_queued();
    if (delivery.message) {
      if (session.send({writer.write(delivery), delivery.seq}, is_last)) {
        ++counters_.messages_sent;
      } else {
        slow.push_back(delivery.receiver);
      }
    }
    if (is_last) session.close(*delivery.close);
  }
  return slow;
}

void SignalingService::flush() {
  for (const auto& session : unflushed_)
    session->flush();
  unflushed_.clear();
}

void SignalingService::arm_timer() {
  const std::optional<TimePoint> next = hub_.next_deadline();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;  // firing early costs less than arming for every message
  armed_for_ = next;
  hub_timer_.expires_at(*next);
  hub_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    armed_for_.reset();
    perform(hub_.on_timer(read_clock()));
  });
}

asio::awaitable<void> SignalingService::stop() {
  is_stopping_ = true;
  perform(hub_.end_all(signaling::CloseReason::kGoingAway));
  hub_timer_.cancel();  // with nobody left it has nothing to do, and would keep the loop running
  drained_.expires_after(kStopDeadline);
  if (!sessions_.empty()) co_await drained_.async_wait(net::kAwait);
  for (const auto& [id, session] : sessions_)
    session->abort();
}

}  // namespace causeway::http
