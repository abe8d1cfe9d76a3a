#include "server/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "server/router.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using outcome = parser::request_reader::outcome;

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
/// Statements that are looked at before the first of them is run: enough for their memory to be fetched together, few
/// enough that it stays in the processor's nearest cache.
constexpr std::size_t statements_ahead = 16;
/// How long, and how much, a connection that must go is still read, so that the client sees the reason and not a reset.
constexpr std::chrono::milliseconds drain_time{2'000};
constexpr std::uint64_t drain_bytes_max = 64U << 20;
/// How long a client over the connection limit may take to say how it talks.
constexpr std::chrono::milliseconds turned_away_time{2'000};

/// How many pieces of output one system call takes; Asio takes no more.
constexpr std::size_t pieces_max = 64;

std::string_view name_of(parser::wire_mode mode) {
  switch (mode) {
    case parser::wire_mode::framed:
      return "framed";
    case parser::wire_mode::text:
      return "text";
    case parser::wire_mode::unknown:
      break;
  }
  return "silent";
}

}  // namespace

session::session(worker& w, tcp::socket socket, std::string address, bool turned_away)
    : worker_(w),
      socket_(std::move(socket)),
      address_(std::move(address)),
      reader_(w.shared().settings.statement_bytes_max),
      output_(w.buffers()),
      window_(std::min(first_window, w.shared().settings.pipeline_max)),
      turned_away_(turned_away) {}

session::~session() = default;

void session::start(const subscriber& me) {
  me_ = me;
  if (turned_away_) set_deadline(turned_away_time);
  await_readable();
}

// Input

void session::await_readable() {
  if (reading_ || end_of_stream_ || stage_ != stage::open) return;
  reading_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->reading_ = false;
    self->on_readable(error);
  });
}

void session::on_readable(const error_code& error) {
  if (stage_ != stage::open) return;
  if (error) return close("connection lost");
  const std::span<char> buffer = worker_.read_buffer();
  error_code problem;
  const std::size_t bytes = socket_.read_some(boost::asio::buffer(buffer.data(), buffer.size()), problem);
  if (problem == boost::asio::error::would_block) return await_readable();
  if (problem == boost::asio::error::eof) return on_end_of_stream();
  if (problem) return close("connection lost");
  bytes_in_ += bytes;
  reader_.feed({buffer.data(), bytes});
  take_statements();
}

void session::on_end_of_stream() {
  end_of_stream_ = true;
  take_statements();
}

bool session::may_take_statements() const {
  // With a full store each connection has one statement under way, whose reply gets it going again.
  const std::size_t window = worker_.shared().store_is_full() ? 1 : window_;
  return stage_ == stage::open && alone_ == 0 && slots_.size() < window &&
         output_.unsent_bytes() - output_.unsent_event_bytes() < reply_bytes_mark;
}

void session::take_statements() {
  stalled_ = false;
  taking_ = true;
  outcome got = outcome::ready;
  parser::request r;
  std::size_t announced = 0;
  while (may_take_statements()) {
    if (announced == 0) announced = look_ahead();
    if ((got = reader_.next(r)) != outcome::ready) break;
    run(r);
    announced -= std::min<std::size_t>(announced, 1);
  }
  if (announced > 0) worker_.statements().expect({});  // their texts go, or move
  if (stage_ == stage::open && (got == outcome::too_large || got == outcome::bad_start)) refuse_input(got, r);
  if (stage_ == stage::open && got == outcome::ready) stalled_ = true;
  if (stage_ == stage::open && got == outcome::need_more && end_of_stream_) take_last_statement();
  reader_.park();
  if (events_are_due) take_due_events();
  taking_ = false;
  flush();
  worker_.statements_taken();
  if (stalled_) return;
  if (reader_.held_bytes() > 0) acknowledge_at_once();
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

void session::acknowledge_at_once() {
  // Clients that send a frame's header and its payload in two writes have the second held back by Nagle's algorithm
  // until the first is acknowledged, which the kernel delays by 40 ms. An incomplete statement tells such a client.
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void session::take_last_statement() {
  parser::request r;
  if (reader_.last(r) == outcome::ready) run(r);
  finish(end_reason_);
}

void session::refuse_input(outcome got, const parser::request& r) {
  const std::uint32_t limit = worker_.shared().settings.statement_bytes_max;
  reply([&](std::string& out) {
    const reply_address to{.mode = mode(), .request_id = r.id};
    if (got == outcome::too_large) {
      encode_error(out, to,
                   "the statement is larger than " + std::to_string(limit) +
                       " bytes; send a smaller one, or raise --max-statement-bytes");
    } else {
      encode_error(out, to, "the first byte begins neither a frame nor a line of text; see docs/protocol.md");
    }
  });
  misread_ = true;
  finish(got == outcome::too_large ? "statement too large" : "not our protocol");
}

void session::run(const parser::request& r) {
  ++statements_;
  if (turned_away_) {
    reply([&](std::string& out) {
      encode_error(out, {.mode = mode(), .request_id = r.id},
                   "too many connections; try again later, or raise --max-connections");
    });
    return finish("too many connections");
  }
  worker_.statements().run(*this, r);
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
  s->bytes = std::move(bytes);
  s->done = true;
  release_done_slots();
}

void session::release_done_slots() {
  while (auto done = slots_.take_first_done()) {
    if (!done->bytes.empty()) output_.replies() += done->bytes;
  }
  wants_flush();
}

void session::deliver(const encoded_event& e, std::uint64_t pubsubid) {
  if (events_are_due) take_due_events();
  if (stage_ == stage::draining || stage_ == stage::closed) return;
  if (reply_slots::slot* s = slots_.find_subscription(pubsubid)) {
    append_event(s->bytes, mode(), e, pubsubid);
    return;
  }
  if (slow_ != nullptr) {
    if (slow_subscriptions::subscription* s = slow_->find(pubsubid)) return deliver(*s, e, pubsubid);
  }
  output_.append_event(mode(), e, pubsubid);
  if (output_.unsent_event_bytes() > worker_.shared().settings.backlog_bytes_max) return check_backlog();
  wants_flush();
}

void session::check_backlog() {
  // The limit may have been passed within one loop turn: the socket gets its chance before the client is called slow.
  flush();
  if (stage_ != stage::closed && output_.unsent_event_bytes() > worker_.shared().settings.backlog_bytes_max) {
    close("too slow a subscriber", true);
  }
}

void session::subscribed(unsigned worker) {
  ++subscriptions_;
  if (std::ranges::find(subscribed_workers_, worker) == subscribed_workers_.end()) {
    subscribed_workers_.push_back(worker);
  }
}

bool session::may_subscribe() const {
  return subscriptions_ < worker_.shared().settings.subscriptions_max;
}

void session::unsubscribed(std::span<const std::uint64_t> ended) {
  subscriptions_ -= std::min<std::uint64_t>(ended.size(), subscriptions_);
  if (slow_ == nullptr) return;
  for (const std::uint64_t pubsubid : ended) slow_->forget(pubsubid);
}

// Output

void session::flush() {
  write_out();
  account_backlog();
}

void session::write_out() {
  while (stage_ != stage::closed && !writing_ && (!output_.empty() || (slow_ != nullptr && refill()))) {
    std::array<std::string_view, pieces_max> pieces;
    std::array<boost::asio::const_buffer, pieces_max> buffers;
    const std::size_t count = output_.to_write(pieces);
    std::transform(pieces.begin(), pieces.begin() + count, buffers.begin(),
                   [](std::string_view p) { return boost::asio::const_buffer(p.data(), p.size()); });
    error_code problem;
    const std::size_t sent = count == 1 ? socket_.write_some(buffers[0], problem)
                                        : socket_.write_some(std::span(buffers.data(), count), problem);
    if (problem == boost::asio::error::would_block) return await_writable();
    if (problem) return on_write_error(problem);
    bytes_out_ += sent;
    output_.sent(sent);
  }
  after_write();
}

void session::await_writable() {
  writing_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code& error) {
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
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->take_statements(); });
  }
  if (stage_ == stage::finishing && slots_.empty() && output_.empty() && !events_are_due) begin_draining();
}

// The end

void session::finish(std::string_view why) {
  if (stage_ != stage::open) return;
  stage_ = stage::finishing;
  end_reason_ = why;
  if (transaction != transaction_id{}) worker_.statements().abandon(transaction);
  wants_flush();
}

void session::begin_draining() {
  stage_ = stage::draining;
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  if (end_of_stream_) return close(end_reason_);
  set_deadline(drain_time);
  on_drainable({});
}

void session::on_drainable(const error_code& error) {
  if (stage_ != stage::draining) return;
  if (error) return close(end_reason_);
  const std::span<char> buffer = worker_.read_buffer();
  error_code problem;
  const std::size_t bytes = socket_.read_some(boost::asio::buffer(buffer.data(), buffer.size()), problem);
  drained_bytes_ += bytes;
  const bool quiet = problem == boost::asio::error::would_block;
  const bool ended = problem && !quiet;
  if (ended || (quiet && !misread_) || drained_bytes_ > drain_bytes_max) return close(end_reason_);
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& e) { self->on_drainable(e); });
}

void session::set_deadline(std::chrono::milliseconds after) {
  deadline_ = std::make_unique<boost::asio::steady_timer>(socket_.get_executor(), after);
  deadline_->async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->close(self->end_reason_);
  });
}

void session::abort(std::string_view why) {
  close(why);
}

void session::close(std::string_view why, bool slow) {
  if (stage_ == stage::closed) return;
  stage_ = stage::closed;
  if (transaction != transaction_id{}) worker_.statements().abandon(transaction);
  if (slow) {
    spdlog::warn(
        "disconnected {}: {}, {} bytes of events waited for it; it must read faster, or raise "
        "--max-backlog-bytes",
        address_, why, output_.unsent_event_bytes() + (slow_ != nullptr ? slow_->folded_bytes() : 0));
    ++worker_.slow().disconnects;
  } else {
    spdlog::info("connection {} ended: {}; {}, {} statements, {} bytes in, {} bytes out", address_, why,
                 name_of(mode()), statements_, bytes_in_, bytes_out_);
  }
  error_code ignored;
  socket_.close(ignored);
  if (deadline_) deadline_->cancel();
  output_.release();
  slow_.reset();
  account_backlog();
  worker_.ended(*this, subscribed_workers_, turned_away_);
}

}  // namespace pubsubsql::server
