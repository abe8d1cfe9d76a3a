#include "server/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/json_request.hpp"
#include "server/log_text.hpp"
#include "server/router.hpp"
#include "server/worker.hpp"
#include "storage/errors.hpp"

namespace pubsubsql::server {

namespace {

using boost::system::error_code;
using read_outcome = parser::request_reader::outcome;

/// Statements are held back while this much of replies waits to be sent: enough to keep a connection busy, little
/// enough that a client which asks and never reads costs no more.
constexpr std::size_t reply_bytes_mark = 1U << 20;
/// Replies of other workers are under way before their size is known. So a connection begins with a few requests at a
/// time, and has more as long as the replies turn out to be small.
constexpr std::size_t first_window = 16;
constexpr std::size_t small_reply_bytes = 4U << 10;
/// What a small reply adds to the window: while stores commit what has come together, a window that is still small
/// means small transactions, so it opens in few of them.
constexpr std::size_t window_growth = 4;
/// Statements are held back, too, while so much of those before is kept until it is their turn.
constexpr std::size_t request_bytes_mark = 16U << 20;
/// When the memory is used up, more than so much of an incomplete statement is let go, and who has so much of
/// statements under way is not read: it is asked again whether there is memory after that time.
constexpr std::size_t input_bytes_without_memory = 64U << 10;
constexpr std::chrono::milliseconds memory_wait{100};
/// Statements that are looked at before the first of them is run: enough for their memory to be fetched together, few
/// enough that it stays in the processor's nearest cache.
constexpr std::size_t statements_ahead = 16;
/// What is kept of an incomplete statement of a client that has not been admitted: to say who it is takes no more.
constexpr std::size_t unadmitted_bytes_max = 16U << 10;
/// How many pieces of output one write takes.
constexpr std::size_t pieces_max = 64;

}  // namespace

session::session(worker& w, transport t, counted_connection connection, session_identity who)
    : identity(std::move(who)),
      worker_(w),
      transport_(std::move(t)),
      connection_(std::move(connection)),
      reader_(w.shared().settings.statement_bytes_max,
              transport_.is_web() ? parser::wire_mode::framed : parser::wire_mode::unknown),
      output_(w.buffers()),
      window_(std::min(first_window, w.shared().settings.pipeline_max)),
      is_momentary_(transport_.is_momentary()),
      secured_(transport_.is_web()) {}

session::~session() = default;

// Input

void session::await_readable() {
  if (reading_ || end_of_stream_ || stage_ != stage::open) return;
  reading_ = true;
  transport_.wait_readable([self = shared_from_this()](const error_code& error) {
    self->reading_ = false;
    self->on_readable(error);
  });
}

void session::on_readable(const error_code& error) {
  if (stage_ != stage::open) return;
  if (error) return close("connection lost");
  if (worker_.shared().memory.exceeded() != 0) [[unlikely]] {
    // Who has hung up sends no more than has come, and what waits on its behalf is to end.
    if (slots_.request_bytes() > input_bytes_without_memory && !transport_.has_hung_up()) return wait_for_memory();
    if (reader_.held_bytes() > input_bytes_without_memory) reader_.discard();
  }
  const std::span<char> buffer = worker_.read_buffer();
  error_code problem;
  std::size_t bytes = transport_.read_some(buffer, problem);
  if (!secured_) [[unlikely]] {
    bytes = admit(buffer, bytes, problem);
  }
  if (bytes > 0) {
    bytes_in_ += bytes;
    if (!transport_.is_web()) worker_.counters().bytes_received += bytes;
    idle_looks_ = 0;
    reader_.feed({buffer.data(), bytes});
  }
  if (problem) return on_read_problem(problem);
  take_statements();
}

/// Until statements that it has under way are done.
void session::wait_for_memory() {
  reading_ = true;
  idle_looks_ = 0;
  auto timer = std::make_shared<boost::asio::steady_timer>(transport_.executor(), memory_wait);
  timer->async_wait([self = shared_from_this(), timer](const error_code&) {
    self->reading_ = false;
    self->on_readable({});
  });
}

void session::on_read_problem(const error_code& problem) {
  if (problem == boost::asio::error::eof) return on_end_of_stream();
  if (problem == boost::asio::error::would_block) {
    if (transport_.has_unsent()) flush();
    return await_readable();
  }
  if (problem == boost::system::errc::protocol_error) return end_broken_tls();
  close("connection lost");
}

void session::on_end_of_stream() {
  end_of_stream_ = true;
  if (transport_.is_truncated()) spdlog::debug("connection {} ended without TLS saying so", address());
  take_statements();
}

bool session::may_take_statements() const {
  // With a full store each connection has one statement under way, whose reply gets it going again.
  const std::size_t window = worker_.shared().store_is_full() ? 1 : window_;
  // What came before a transaction does not wait while it has tables: two such connections might wait for each other.
  if (transaction != transaction_id{} && !slots_.empty()) return false;
  return stage_ == stage::open && alone_ == 0 && slots_.size() < window && waiting_reply_bytes() < reply_bytes_mark &&
         slots_.request_bytes() < request_bytes_mark;
}

void session::take_statements() {
  stalled_ = false;
  taking_ = true;
  worker_.begin_batch();
  read_outcome got = read_outcome::ready;
  parser::request r;
  std::size_t announced = 0;
  while (may_take_statements()) {
    if (announced == 0) announced = look_ahead();
    if ((got = reader_.next(r)) == read_outcome::discarded) {
      refuse_discarded(r);
      continue;
    }
    if (got != read_outcome::ready) break;
    run(r);
    announced -= std::min<std::size_t>(announced, 1);
  }
  if (announced > 0) worker_.statements().expect({});  // their texts go, or move
  if (stage_ == stage::open && (got == read_outcome::too_large || got == read_outcome::bad_start)) refuse_input(got, r);
  if (stage_ == stage::open && (got == read_outcome::ready || got == read_outcome::discarded)) stalled_ = true;
  if (stage_ == stage::open && got == read_outcome::need_more && end_of_stream_) take_last_statement();
  reader_.park();
  const bool is_incomplete = stage_ == stage::open && got == read_outcome::need_more;
  if (is_incomplete && reader_.held_bytes() > unadmitted_bytes_max && !is_admitted()) {
    refuse_input(read_outcome::too_large, r);
  }
  if (events_are_due) take_due_events();
  taking_ = false;
  flush();
  worker_.statements_taken();
  if (stalled_) return;
  // Clients that send a frame's header and its payload in two writes have the second held back by Nagle's algorithm
  // until the first is acknowledged, which the kernel delays by 40 ms. An incomplete statement tells such a client.
  if (reader_.held_bytes() > 0 && !transport_.is_web()) transport_.socket().acknowledge_at_once();
  await_readable();
}

/// Announces the statements that have come together. Returns how many; 0 when nothing is gained by it.
std::size_t session::look_ahead() {
  std::array<std::string_view, statements_ahead> next;
  const std::size_t count = reader_.peek(next);
  if (count < 2) return 0;
  worker_.statements().expect(std::span(next).first(count));
  return count;
}

void session::take_last_statement() {
  parser::request r;
  // Without TLS saying that this is the end, somebody may have cut the last statement short.
  const read_outcome got = transport_.is_truncated() ? read_outcome::need_more : reader_.last(r);
  if (got == read_outcome::ready) run(r);
  if (got == read_outcome::discarded) refuse_discarded(r);
  finish(end_reason_);
}

void session::refuse_input(read_outcome got, const parser::request& r) {
  const bool is_early = !is_admitted();
  const std::size_t limit = is_early ? unadmitted_bytes_max : worker_.shared().settings.statement_bytes_max;
  reply([&](std::string& out) {
    const reply_address to{.mode = mode(), .request_id = r.id};
    if (got == read_outcome::too_large) {
      worker_.shared().counters.refused("max-statement-bytes");
      encode_error(out, to,
                   "the statement is larger than " + std::to_string(limit) +
                       (is_early ? " bytes, the most before authentication; send auth USER PASSWORD first"
                                 : " bytes; send a smaller one, or raise --max-statement-bytes"));
    } else {
      encode_error(out, to, "the first byte begins neither a frame nor a line of text; see docs/protocol.md");
    }
  });
  misread_ = true;
  const bool too_large = got == read_outcome::too_large;
  finish(too_large ? "statement too large" : "not our protocol",
         too_large ? close_code::too_large : close_code::refused);
}

void session::refuse_discarded(const parser::request& r) {
  ++statements_;
  worker_.shared().counters.refused("max-memory");
  reply([&](std::string& out) {
    encode_error(out, {.mode = mode(), .request_id = r.id},
                 storage::out_of_memory(worker_.shared().settings.memory_bytes_max));
  });
}

void session::run(const parser::request& r) {
  ++statements_;
  if (refusal_ != nullptr) return refuse(r);
  if (is_json_request(r.text)) return run_json(r);
  run_counted(r, request_origin::text);
}

void session::run_counted(const parser::request& r, request_origin how) {
  statement_watch& watch = worker_.watch();
  watch.taken();
  request_bytes_ = r.text.size();
  worker_.statements().run(*this, r, how);
  if (watch.ended()) [[unlikely]]
    report(watch.slow());
}

// Counting

/// Remembers the statement at hand in the slot that its reply will have.
std::uint64_t session::mark(std::uint64_t slot) {
  reply_slots::slot& s = *slots_.find(slot);
  s.mark = worker_.watch().hand_over();
  slots_.note_request(s, request_bytes_);
  return slot;
}

void session::note_answer(std::string_view reply) {
  worker_.watch().answered(answer_of(reply));
}

statement_watch::answer session::answer_of(std::string_view reply) const {
  return {.is_error = is_error(reply, mode()), .rows = worker_.watch().logs_slow_ones() ? rows_of(reply) : 0};
}

void session::report(const statement_watch::slow_statement& slow) {
  worker_.shared().slow_statements.write(
      {.duration_ns = slow.duration_ns,
       .address = address(),
       .user = identity.user != nullptr ? std::string_view(identity.user->name()) : std::string_view(),
       .text = slow.text,
       .rows = slow.answered.rows,
       .is_error = slow.answered.is_error});
}

protocol session::talks() const {
  if (is_momentary_) return protocol::http;
  if (transport_.is_web()) {
    return transport_.link_name() == name_of_protocol(protocol::websocket) ? protocol::websocket : protocol::events;
  }
  switch (mode()) {
    case parser::wire_mode::framed:
      return protocol::framed;
    case parser::wire_mode::text:
      return protocol::text;
    case parser::wire_mode::unknown:
      break;
  }
  return protocol::silent;
}

/// The number of a frame counts before that in the request.
void session::run_json(const parser::request& r) {
  const auto read = read_json_request(r.text);
  const auto id_or = [&](std::uint32_t given) { return r.id != 0 ? r.id : given; };
  const auto refuse = [&](std::uint32_t id, std::string_view message) {
    statement_watch& watch = worker_.watch();
    watch.taken();
    watch.recognised(unreadable_verb, r.text);
    reply([&](std::string& out) { encode_error(out, {.mode = mode(), .request_id = id_or(id)}, message); });
    (void)watch.ended();
  };
  if (!read) return refuse(read.error().id, read.error().message);
  const std::size_t bytes_max = worker_.shared().settings.statement_bytes_max;
  if (read->text.size() > bytes_max) {
    worker_.shared().counters.refused("max-statement-bytes");
    return refuse(read->id, "the statement with its values is larger than " + std::to_string(bytes_max) +
                                " bytes; send fewer values, or raise --max-statement-bytes");
  }
  run_counted({.id = id_or(read->id), .text = read->text}, request_origin::json);
}

// Replies and events

void session::wants_flush() {
  if (!taking_) worker_.flush_later(*this);
}

void session::take_due_events() {
  worker_.events().hand_out();
}

void session::complete(std::uint64_t slot, std::string bytes) {
  if (events_are_due) take_due_events();
  reply_slots::slot* s = slots_.find(slot);
  if (s == nullptr) return;
  if (slot == alone_) alone_ = 0;
  const std::size_t window_max = worker_.shared().settings.pipeline_max;
  window_ = bytes.size() < small_reply_bytes ? std::min(window_ + window_growth, window_max)
                                             : std::max<std::size_t>(window_ / 2, 1);
  slots_.fill(*s, std::move(bytes));
  if (const auto slow = worker_.watch().answered(s->mark, answer_of(s->bytes))) [[unlikely]] {
    report(*slow);
  }
  release_done_slots();
}

/// Lets replies go that are there and wait behind no other, as long as few of them have not been written. Returns
/// whether there is something to write now.
bool session::move_done_slots() {
  bool moved = false;
  while (output_.unsent_bytes() - output_.unsent_event_bytes() < reply_bytes_mark) {
    auto done = slots_.take_first_done();
    if (!done) break;
    if (done->bytes.empty()) continue;
    output_.append_reply(std::move(done->bytes));
    moved = true;
  }
  return moved;
}

void session::release_done_slots() {
  move_done_slots();
  if (waiting_reply_bytes() >= reply_bytes_mark) return write_large();
  wants_flush();
}

/// Much of it is not left for the end of the turn, in which others may ask for as much.
void session::write_large() {
  flush();
  worker_.relieve();
}

void session::deliver(const encoded_event& e, std::uint64_t pubsubid) {
  if (events_are_due) take_due_events();
  if (stage_ == stage::draining || stage_ == stage::closed) return;
  worker_.counters().deliveries += e.count;
  if (reply_slots::slot* s = slots_.find_subscription(pubsubid)) {
    slots_.add_event(*s,
                     [&](std::string& out) { append_event(out, mode(), e, pubsubid, position_to_tell(e, pubsubid)); });
    if (slots_.event_bytes() > worker_.shared().settings.backlog_bytes_max) {
      return end_as_slow("a subscriber that waits for replies to what it asked before");
    }
    return wants_flush();
  }
  if (slow_ != nullptr) {
    if (slow_subscriptions::subscription* s = slow_->find(pubsubid)) return deliver(*s, e, pubsubid);
  }
  output_.append_event(mode(), e, pubsubid, position_to_tell(e, pubsubid));
  if (output_.unsent_event_bytes() > worker_.shared().settings.backlog_bytes_max) return check_backlog();
  wants_flush();
}

std::size_t session::waiting_reply_bytes() const {
  return output_.unsent_bytes() - output_.unsent_event_bytes() + slots_.reply_bytes();
}

std::size_t session::waiting_event_bytes() const {
  return output_.unsent_event_bytes() + slots_.event_bytes() + (slow_ != nullptr ? slow_->folded_bytes() : 0);
}

void session::check_backlog() {
  // The limit may have been passed within one loop turn: the socket gets its chance before the client is called slow.
  flush();
  if (stage_ != stage::closed && output_.unsent_event_bytes() > worker_.shared().settings.backlog_bytes_max) {
    end_as_slow("too slow a subscriber");
  }
}

void session::subscribed(unsigned worker) {
  ++subscriptions_;
  worker_.shared().subscriptions.fetch_add(1, std::memory_order_relaxed);
  note_worker(worker);
}

void session::leases_at(unsigned worker) {
  leases_ = true;
  note_worker(worker);
}

void session::note_worker(unsigned worker) {
  if (std::ranges::find(subscribed_workers_, worker) == subscribed_workers_.end()) {
    subscribed_workers_.push_back(worker);
  }
}

bool session::may_subscribe() const {
  return subscriptions_ < worker_.shared().settings.subscriptions_max;
}

void session::unsubscribed(std::span<const std::uint64_t> ended) {
  count_ended(ended.size());
  if (positioned_ != nullptr) {
    for (const std::uint64_t pubsubid : ended) positioned_->erase(pubsubid);
    if (positioned_->empty()) positioned_.reset();
  }
  if (slow_ == nullptr) return;
  for (const std::uint64_t pubsubid : ended) slow_->forget(pubsubid);
}

void session::end_subscription(std::uint64_t pubsubid, bool dropped) {
  if (events_are_due) take_due_events();
  if (stage_ == stage::draining || stage_ == stage::closed) return;
  const std::uint64_t ended[] = {pubsubid};
  unsubscribed(ended);
  const auto append = [&](std::string& out) {
    append_ended(out, mode(), pubsubid,
                 dropped ? "the subscription was dropped" : "a later subscriber has the subscription now");
  };
  if (reply_slots::slot* s = slots_.find_subscription(pubsubid)) {
    slots_.add_event(*s, append);
  } else {
    append(output_.replies());
  }
  wants_flush();
}

void session::tell_positions(std::uint64_t pubsubid) {
  if (positioned_ == nullptr) positioned_ = std::make_unique<absl::flat_hash_set<std::uint64_t>>();
  positioned_->insert(pubsubid);
}

void session::count_ended(std::uint64_t subscriptions) {
  subscriptions = std::min(subscriptions, subscriptions_);
  subscriptions_ -= subscriptions;
  if (subscriptions > 0) worker_.shared().subscriptions.fetch_sub(subscriptions, std::memory_order_relaxed);
}

// Output

void session::flush() {
  write_out();
  account_backlog();
}

void session::write_out() {
  const auto has_more = [this] {
    if (move_done_slots() || !output_.empty() || transport_.has_unsent()) return true;
    return slow_ != nullptr && refill();
  };
  while (stage_ != stage::closed && !writing_ && has_more()) {
    std::array<std::string_view, pieces_max> pieces;
    const std::size_t count = output_.to_write(pieces);
    error_code problem;
    const std::size_t sent = transport_.write_some(std::span(pieces).first(count), problem);
    if (problem == boost::asio::error::would_block) return await_writable();
    if (problem) return on_write_error(problem);
    bytes_out_ += sent;
    if (!transport_.is_web()) worker_.counters().bytes_sent += sent;
    output_.sent(sent);
  }
  after_write();
}

void session::await_writable() {
  writing_ = true;
  transport_.wait_writable([self = shared_from_this()](const error_code& error) {
    self->writing_ = false;
    if (self->stage_ == stage::closed) return;
    if (error) return self->on_write_error(error);
    self->flush();
  });
}

void session::on_write_error(const error_code&) {
  close("connection lost");
}

void session::after_write() {
  if (stalled_ && may_take_statements()) {
    // Later, not from here: a statement may be running at this moment whose events made this connection write.
    stalled_ = false;
    boost::asio::post(transport_.executor(), [self = shared_from_this()] { self->take_statements(); });
  }
  const bool all_is_sent = output_.empty() && !transport_.has_unsent();
  if (stage_ == stage::finishing && slots_.empty() && all_is_sent && !events_are_due) begin_draining();
}

}  // namespace pubsubsql::server
