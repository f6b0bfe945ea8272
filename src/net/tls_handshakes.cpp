// SPDX-License-Identifier: Apache-2.0
#include "net/tls_handshakes.hpp"

#include <new>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "net/system_clock.hpp"

namespace causeway::net {

struct TlsHandshakes::State : std::enable_shared_from_this<State> {
  State(const asio::any_io_executor& executor, const HandshakeQueueOptions& options, std::uint64_t hash_seed)
      : queue(options, hash_seed), next_turn(executor) {}

  // Lets the next step be taken, unless one is under way, or sees to it that it is when its time has come.
  void grant() noexcept;

  HandshakeQueue queue;
  asio::steady_timer next_turn;
  std::unordered_map<std::uint64_t, Turn*> waiting;  // by the number of the ticket; they live in perform()
  bool is_taken = false;                             // a step may be taken, and is not done yet
  bool has_ended = false;                            // nothing is granted any more
};

// However its coroutine ends, it leaves the queue and lets others go on.
struct TlsHandshakes::Turn {
  Turn(State& state, const HandshakeQueue::Ticket& own_ticket)
      : all(state), ticket(own_ticket), granted(state.next_turn.get_executor(), asio::steady_timer::time_point::max()) {
    try {
      all.waiting.emplace(ticket.number, this);
    } catch (...) {
      all.queue.leave(ticket);
      throw;
    }
  }
  ~Turn() {
    all.queue.leave(ticket);
    all.waiting.erase(ticket.number);
    if (is_granted) all.is_taken = false;
    all.grant();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  State& all;
  HandshakeQueue::Ticket ticket;
  asio::steady_timer granted;  // cancelled to wake the coroutine
  bool is_granted = false;
};

TlsHandshakes::TlsHandshakes(const asio::any_io_executor& executor, const HandshakeQueueOptions& options,
                             std::uint64_t hash_seed)
    : state_(std::make_shared<State>(executor, options, hash_seed)) {}

TlsHandshakes::~TlsHandshakes() {
  state_->has_ended = true;
  state_->next_turn.cancel();
}

HandshakeQueue& TlsHandshakes::queue() noexcept {
  return state_->queue;
}
const HandshakeQueue& TlsHandshakes::queue() const noexcept {
  return state_->queue;
}

asio::awaitable<error_code> TlsHandshakes::perform(Stream& stream, std::shared_ptr<const TlsContext> context,
                                                   std::optional<IpAddress> source) {
  return perform(state_, stream, std::move(context), source);
}

asio::awaitable<error_code> TlsHandshakes::perform(std::shared_ptr<State> state, Stream& stream,
                                                   std::shared_ptr<const TlsContext> context,
                                                   std::optional<IpAddress> source) {
  auto ticket = source ? state->queue.begin(*source, read_clock().steady) : state->queue.begin_trusted();
  if (!ticket) co_return asio::error::no_buffer_space;
  error_code error;
  for (bool is_first = true; !error; is_first = false) {
    std::optional<tcp::socket::wait_type> needs;
    {
      Turn turn{*state, *ticket};
      co_await wait(turn);
      if (!turn.is_granted) co_return asio::error::operation_aborted;
      const TimePoint began = read_clock().steady;
      if (is_first) error = stream.start_tls(*context);
      if (!error) needs = stream.handshake_now(error);
      const TimePoint ended = read_clock().steady;
      state->queue.on_step(*ticket, ended - began, ended);
    }
    if (!needs) break;
    std::tie(error) = co_await stream.next_layer().async_wait(*needs, kAwait);
    if (!error) ticket = state->queue.go_on();
  }
  co_return error;
}

asio::awaitable<void> TlsHandshakes::wait(Turn& turn) {
  turn.all.grant();
  if (!turn.is_granted) (void)co_await turn.granted.async_wait(kAwait);
}

void TlsHandshakes::State::grant() noexcept {
  if (is_taken || has_ended) return;
  if (const auto ticket = queue.next(read_clock().steady)) {
    is_taken = true;
    Turn& turn = *waiting.at(ticket->number);
    turn.is_granted = true;
    turn.granted.cancel();
    return;
  }
  const auto turn = queue.next_turn();
  if (!turn || next_turn.expiry() == *turn) return;  // one turn is waited for once
  try {
    next_turn.expires_at(*turn);
    next_turn.async_wait([self = weak_from_this()](const error_code& error) {
      const auto state = self.lock();
      if (!error && state) state->grant();
    });
  } catch (const std::bad_alloc&) {
    next_turn.expires_at(TimePoint{});  // the next handshake tries again
  }
}

}  // namespace causeway::net
