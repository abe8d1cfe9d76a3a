#include "server/worker.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/http/connection.hpp"
#include "server/metrics/process_usage.hpp"

namespace pubsubsql::server {

namespace {

/// Who has read something within this time reads, if slowly: of megabytes in the system's buffers nothing is seen.
constexpr std::int64_t reading_us = 10'000'000;

}  // namespace

worker::worker(unsigned index, shared_state& shared)
    : index_(index),
      shared_(shared),
      watch_(counters_, std::int64_t{shared.settings.slow_statement_ms} * 1'000'000),
      read_buffer_(std::make_unique<std::array<char, read_buffer_bytes>>()),
      keep_running_(context_.get_executor()),
      idle_timer_(context_),
      router_(*this),
      events_(*this),
      sampler_(*this),
      outboxes_(shared.workers.size()),
      backlog_(
          {.connection_max = shared.settings.backlog_bytes_max, .total_max = shared.settings.backlog_total_bytes_max},
          shared.backlog_bytes),
      unread_replies_({.connection_max = 0, .total_max = shared.settings.reply_total_bytes_max}, shared.reply_bytes) {}

worker::~worker() = default;

void worker::run() {
  if (shared_.settings.idle_timeout_seconds > 0) close_idle_sessions();
  if (index_ == 0) sampler_.start();
  router_.start();
  if (shared_.settings.spin_us == 0) {
    context_.run();
    return;
  }
  while (context_.run_one() > 0) spin();
}

void worker::spin() {
  using clock = std::chrono::steady_clock;
  const std::chrono::microseconds limit(shared_.settings.spin_us);
  auto last = clock::now();
  for (;;) {
    const auto idle = clock::now() - last;
    if (context_.poll() > 0) {
      spun_ += idle;
      last = clock::now();
    } else if (idle >= limit) {
      spun_ += idle;
      return;
    }
  }
}

/// Never less than before: a thread that is kept from its processor while it looks for work seems to work less.
double worker::busy_seconds() {
  busy_seconds_ = std::max(busy_seconds_, thread_cpu_seconds() - std::chrono::duration<double>(spun_).count());
  return busy_seconds_;
}

// Sessions

void worker::adopt(tcp::socket socket, counted_connection connection) {
  boost::asio::post(context_, [this, socket = std::move(socket), connection = std::move(connection)]() mutable {
    if (connection.admitted() == admission::served) ++counters_.connections;
    welcome(transport(client_socket(std::move(socket))), std::move(connection));
  });
}

void worker::adopt_http(tcp::socket socket, counted_connection connection) {
  boost::asio::post(context_, [this, socket = std::move(socket), connection = std::move(connection)]() mutable {
    if (connection.admitted() == admission::served) ++counters_.connections;
    std::make_shared<http::connection>(*this, std::move(socket), std::move(connection))->start();
  });
}

session& worker::welcome(transport t, counted_connection connection, session_identity who) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const std::uint32_t at = free_places_.back();
  free_places_.pop_back();
  place& p = places_[at];
  p.occupant = std::make_shared<session>(*this, std::move(t), std::move(connection), std::move(who));
  p.occupant->start({.worker = index_, .place = at, .generation = ++p.generation});
  if (finishing_) p.occupant->finish("the server stops", close_code::server_stops);
  return *p.occupant;
}

session* worker::find(storage::subscriber_id id) const {
  const subscriber s = subscriber::of(id);
  if (s.place >= places_.size() || places_[s.place].generation != s.generation) return nullptr;
  return places_[s.place].occupant.get();
}

void worker::ended(session& s, std::vector<unsigned> subscribed_workers) {
  ended_.push_back({.id = s.id(), .subscribed_workers = std::move(subscribed_workers)});
  end_turn_later();
}

void worker::forget_ended() {
  if (ended_.empty()) return;
  events_.hand_out();  // what is collected knows sessions by their addresses, as the list of those to flush does
  for (const ended_session& e : std::exchange(ended_, {})) {
    const std::uint32_t at = subscriber::of(e.id).place;
    const std::shared_ptr<session> s = std::move(places_[at].occupant);
    std::erase(to_flush_, s.get());
    free_places_.push_back(at);
    router_.session_ended(e.id, e.subscribed_workers);
    s->release_count();
  }
}

void worker::recheck_rights() {
  for_each_session([this](session& s) { router_.gate().recheck(s); });
}

/// Looks at all sessions several times within the timeout, which costs less than a timer for each.
void worker::close_idle_sessions() {
  constexpr unsigned looks = 4;
  for_each_session([](session& s) { s.note_idleness(looks); });
  idle_timer_.expires_after(std::chrono::milliseconds(std::chrono::seconds(shared_.settings.idle_timeout_seconds)) /
                            looks);
  idle_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) close_idle_sessions();
  });
}

void worker::finish_sessions() {
  boost::asio::post(context_, [this] {
    finishing_ = true;
    for_each_session([](session& s) { s.finish("the server stops", close_code::server_stops); });
    http_connections_.finish();
  });
}

void worker::stop() {
  boost::asio::post(context_, [this] {
    for_each_session([](session& s) { s.abort("the server stops", close_code::server_stops); });
    end_turn();
    context_.stop();
  });
}

// The end of a loop turn

void worker::flush_later(session& s) {
  if (s.flush_is_due) return;
  s.flush_is_due = true;
  to_flush_.push_back(&s);
  end_turn_later();
}

void worker::end_turn_later() {
  if (end_of_turn_is_due_) return;
  end_of_turn_is_due_ = true;
  // Runs after everything that is ready now: the loop takes what is posted in order.
  boost::asio::post(context_, [this] { end_turn(); });
}

void worker::flush_sessions() {
  events_.hand_out();
  flushing_.swap(to_flush_);
  for (session* s : flushing_) {
    s->flush_is_due = false;
    s->flush();
  }
  flushing_.clear();
}

template <typename Bytes, typename Sooner, typename End>
void worker::relieve(backlog_gauge& gauge, Bytes&& bytes_of, Sooner&& ends_sooner, End&& end) {
  const bool was_over = gauge.is_over();
  std::size_t excess = gauge.publish();
  if (!gauge.is_over()) return;
  for (unsigned other = 0; !was_over && other < outboxes_.size(); ++other) {
    if (other != index_) send(other, backlog_is_over{});
  }
  if (excess == 0) return;
  std::vector<session*> slow;
  for_each_session([&](session& s) {
    if (bytes_of(s) > 0) slow.push_back(&s);
  });
  std::ranges::sort(slow, [&](const session* a, const session* b) { return ends_sooner(*a, *b); });
  for (session* s : slow) {
    const std::size_t bytes = bytes_of(*s);
    if (excess == 0 || !end(*s)) break;
    excess -= std::min(excess, bytes);
  }
  gauge.publish();
}

void worker::relieve() {
  relieve(
      backlog_, [](const session& s) { return s.backlog_bytes(); },
      [](const session& a, const session& b) { return a.backlog_bytes() > b.backlog_bytes(); },
      [](session& s) {
        s.end_as_slow("too slow a subscriber, and more than --max-total-backlog-bytes wait for all");
        return true;
      });
  relieve(
      unread_replies_, [](const session& s) { return s.reply_bytes(); },
      [](const session& a, const session& b) { return a.last_read_us() < b.last_read_us(); },
      [this](session& s) {
        // Those that do not read may all be another worker's.
        if (s.last_read_us() > now_us() - reading_us && !unread_replies_.is_far_over()) return false;
        s.end_as_unread();
        return true;
      });
}

std::int64_t worker::read_clock() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

void worker::end_turn() {
  end_of_turn_is_due_ = false;
  forget_time();
  takers_before_ = std::exchange(takers_, 0);
  ending_turn_ = true;
  flush_sessions();
  ending_turn_ = false;
  relieve();
  forget_ended();
  router_.end_turn();
  hand_over();
  if (router_.maintain()) end_turn_later();
}

// Messages between workers

void worker::send(unsigned to, worker_message message) {
  outboxes_[to].push_back(std::move(message));
  end_turn_later();
}

void worker::send(unsigned to, deliver_event message, std::size_t bytes) {
  bytes_sent_ += bytes;
  send(to, std::move(message));
}

void worker::send_done(unsigned to, statement_done done) {
  bytes_sent_ += done.bytes.size();
  const auto is_silent = [](const statement_done& d) { return d.bytes.empty() && d.subscriptions_ended.empty(); };
  auto* const last = outboxes_[to].empty() ? nullptr : std::get_if<statement_done>(&outboxes_[to].back());
  const bool joins = last != nullptr && is_silent(*last) && is_silent(done) &&
                     last->route.session == done.route.session && last->route.slot + last->count == done.route.slot;
  if (!joins) return send(to, std::move(done));
  last->count += done.count;
}

void worker::hand_over() {
  bytes_sent_ = 0;
  for (unsigned to = 0; to < outboxes_.size(); ++to) {
    if (!outboxes_[to].empty()) shared_.workers[to]->receive(outboxes_[to]);
  }
}

void worker::hand_over_now() {
  events_.hand_out();
  router_.end_turn();
  hand_over();
}

void worker::receive(std::vector<worker_message>& messages) {
  bool wake = false;
  {
    const std::scoped_lock lock(inbox_mutex_);
    wake = inbox_.empty();
    if (wake) {
      inbox_.swap(messages);
    } else {
      std::ranges::move(messages, std::back_inserter(inbox_));
    }
  }
  messages.clear();
  if (wake) boost::asio::post(context_, [this] { read_inbox(); });
}

void worker::read_inbox() {
  if (!read_messages()) return;
  {
    const std::scoped_lock lock(inbox_mutex_);
    messages_.swap(inbox_);
  }
  read_messages();
}

/// Returns false when it has to go on later: what has come of the first of the messages is handed over before.
bool worker::read_messages() {
  while (first_unread_ < messages_.size()) {
    std::visit([this](auto& message) { router_.on(message); }, messages_[first_unread_++]);
    if (must_hand_over() && first_unread_ < messages_.size()) {
      boost::asio::post(context_, [this] { read_inbox(); });
      return false;
    }
  }
  messages_.clear();
  first_unread_ = 0;
  forget_time();
  return true;
}

}  // namespace pubsubsql::server
