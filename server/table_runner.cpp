#include "server/table_runner.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/durable/table_comparison.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

namespace {

using storage::durable::statement_changes;
using storage::durable::write;
using storage::durable::write_result;

/// Tables are spread over the workers: each has its part of what all of them may keep.
storage::limits limits_of_one(const shared_state& shared) {
  storage::limits l = shared.settings.engine;
  l.history_total_bytes_max /= std::max<std::size_t>(shared.workers.size(), 1);
  return l;
}

}  // namespace

table_runner::table_runner(worker& w)
    : worker_(w), database_(limits_of_one(w.shared())), queues_kept_(w, *this), bindings_(w.shared().bindings) {}

table_runner::~table_runner() = default;

table_queue& table_runner::queue_of(std::string_view table) {
  if (const auto it = queues_.find(table); it != queues_.end()) return *it->second;
  auto made = std::make_unique<table_queue>();
  made->table = table;
  made->number = static_cast<std::uint32_t>(queue_by_number_.size());
  queue_by_number_.push_back(made.get());
  return *queues_.emplace(std::string(table), std::move(made)).first->second;
}

/// Without a store, where statements wait only for who has the table for himself.
bool table_runner::has_waiting(std::string_view table) const {
  if (occupied_queues_ == 0) return false;
  const auto it = queues_.find(table);
  return it != queues_.end() && (it->second->occupied || !it->second->waiting.empty());
}

// Running

bool table_runner::is_barrier(const parser::statement_body& body) {
  return !parser::is_any<parser::insert_statement, parser::select_statement, parser::update_statement,
                         parser::delete_statement, parser::push_statement, parser::pop_statement,
                         parser::peek_statement, parser::publish_statement, parser::lease_statement,
                         parser::ack_statement, parser::nack_statement, parser::renew_statement,
                         parser::acknowledge_statement>(body);
}

std::vector<std::uint64_t> table_runner::subscriptions_ended(const parser::statement_body& body, std::uint64_t pubsubid,
                                                             const storage::outcome& o) {
  if (o.failure && parser::is_any<parser::subscribe_statement>(body)) return {pubsubid};
  return {o.ended.begin(), o.ended.end()};
}

void table_runner::count_resume(const parser::statement_body& body, const storage::outcome& o) {
  if (!parser::is_any<parser::subscribe_statement>(body) || o.failure || (!o.resumes && !o.resyncs)) return;
  ++(o.resyncs ? worker_.counters().resynced : worker_.counters().resumed);
}

void table_runner::encode_outcome(std::string& out, const statement_source& from, const storage::outcome& o) {
  if (o.failure && !o.failure->limit.empty()) worker_.shared().counters.refused(o.failure->limit);
  if (!from.stream || o.failure) return encode_reply(out, from.route.address, o, column_lists_);
  if (from.route.address.is_whole) encode_nothing(out, from.route.address);
}

void table_runner::run(statement_source from, const parser::statement& s) {
  if (!worker_.shared().store.has_store() && !paused_ && !has_waiting(parser::table_of(s))) {
    return execute(nullptr, std::move(from), s);
  }
  table_queue& q = queue_of(parser::table_of(s));
  const bool barrier = is_barrier(s.body);
  if (paused_ || q.occupied || !q.waiting.empty() || q.is_full() || (barrier && !q.held.empty())) {
    open_slot(from);
    q.waiting.push_back({.source = std::move(from), .barrier = barrier});
    return;
  }
  execute(&q, std::move(from), s);
}

bool table_runner::is_acknowledged_at_once(const storage::outcome& o) const {
  const storage::table& t = *o.about;
  const bool inserts = std::ranges::any_of(
      o.changes, [](const storage::change& c) { return c.kind == storage::change_kind::insert_row; });
  if (inserts && t.gets_keys_outside()) return false;  // without the key the row could not be changed
  return t.ack().value_or(worker_.shared().default_ack()) == parser::ack_mode::memory &&
         !worker_.shared().store_is_full();
}

void table_runner::execute(table_queue* q, statement_source from, const parser::statement& s) {
  const bool barrier = is_barrier(s.body);
  if (barrier) before_subscriptions_change();
  if (barrier && !claim_name(from, s)) return;
  const storage::outcome& o = database_.execute(s, {.subscriber = from.route.session,
                                                    .pubsubid = from.pubsubid,
                                                    .now_us = worker_.now_us(),
                                                    .user = from.user.get(),
                                                    .on_slow = worker_.shared().settings.on_slow,
                                                    .bindings_until = from.bindings_until,
                                                    .memory_exceeded = worker_.shared().memory.exceeded(),
                                                    .looked_until = from.looked_until});
  if (barrier) count_resume(s.body, o);
  const bool drops_table = parser::is_any<parser::drop_table_statement>(s.body) && !o.changes.empty();
  if (barrier && !o.changes.empty()) note_changes(o.about->name(), o.changes);
  if (barrier && o.failure) release_name(s);
  if (o.ended_for_other) tell_ended(*o.ended_for_other);
  settle(q, std::move(from), o, subscriptions_ended(s.body, from.pubsubid, o), drops_table);
}

/// Lets go what a statement has come to, or holds it.
void table_runner::settle(table_queue* q, statement_source from, const storage::outcome& o,
                          std::vector<std::uint64_t> ended, bool drops_table) {
  const bool is_queue = o.about != nullptr && o.about->queue() != nullptr;
  if (is_queue) [[unlikely]] {
    return settle_queued(q, std::move(from), o, std::move(ended), drops_table);
  }
  settle_changes(q, std::move(from), o, std::move(ended), drops_table);
}

void table_runner::settle_changes(table_queue* q, statement_source from, const storage::outcome& o,
                                  std::vector<std::uint64_t> ended, bool drops_table) {
  const bool stores = q != nullptr && !stored_part(o).empty();
  if (q != nullptr && (!q->held.empty() || (stores && !is_acknowledged_at_once(o)))) {
    hold(*q, std::move(from), o, std::move(ended));
    q->held.back().drops_table = drops_table;
    return;
  }
  if (from.ends_leases) {
    // nobody waits for that
  } else if (from.route.slot == 0) {
    session& to = *worker_.find(from.route.session);
    to.reply([&](std::string& out) { encode_outcome(out, from, o); }, from.pubsubid);
    to.unsubscribed(ended);
  } else {
    std::string bytes;
    encode_outcome(bytes, from, o);
    answer(from, std::move(bytes), std::move(ended));
  }
  if (stores) send_changes(*q, o, false, false);
  publish(o);
  if (o.about != nullptr) count(o.about->name(), o.queued);
  if (drops_table) unbind_everywhere(o.about->name());
}

std::shared_ptr<const statement_changes> table_runner::send_changes(table_queue& q, const storage::outcome& o,
                                                                    bool awaited, bool in_mysql) {
  auto changes = std::make_shared<const statement_changes>(*o.about, o.changes);
  const std::span<const storage::change> stored = stored_part(o);
  const bool is_whole = stored.size() == o.changes.size();
  writes_.push_back({.changes = is_whole ? changes : std::make_shared<const statement_changes>(*o.about, stored),
                     .origin = {.worker = worker_.index(), .queue = q.number, .ticket = ++q.last_ticket},
                     .epoch = q.epoch,
                     .awaited = awaited,
                     .in_mysql = in_mysql});
  worker_.end_turn_later();
  return changes;
}

void table_runner::hold(table_queue& q, statement_source from, const storage::outcome& o,
                        std::vector<std::uint64_t> ended) {
  open_slot(from);
  keep(q, std::move(from), o, false).subscriptions_ended = std::move(ended);
}

/// Puts what a statement has come to behind the others that are held, and sends its changes to the store.
held_statement& table_runner::keep(table_queue& q, statement_source from, const storage::outcome& o, bool in_mysql) {
  held_statement& h = q.held.emplace_back();
  if (!from.ends_leases) encode_outcome(h.reply, from, o);
  h.events = ready_events(o);
  q.held_bytes += h.bytes();
  h.queued = o.queued;
  h.source = std::move(from);
  h.held_since_ns = worker_.now_ns();
  if (!stored_part(o).empty()) {
    h.changes = send_changes(q, o, true, in_mysql);
    h.ticket = q.last_ticket;
  }
  return h;
}

// What the stores say

void table_runner::on(std::vector<result>& results) {
  for (std::size_t i = 0; i < results.size();) {
    table_queue& q = *queue_by_number_[results[i].origin.queue];
    std::size_t end = i + 1;
    if (results[i].what == write_result::fate::committed) {
      on_committed(q, results[i].origin.ticket);
    } else {
      // One store failure can concern many statements of a table: they are taken back together.
      while (end < results.size() && results[end].origin.queue == q.number &&
             results[i].what == write_result::fate::refused && results[end].what == write_result::fate::refused) {
        ++end;
      }
      on_not_as_asked(q, std::span<const result>(results).subspan(i, end - i));
    }
    i = end;
    advance(q);
  }
}

void table_runner::on_committed(table_queue& q, std::uint64_t ticket) {
  q.held_max = q.held_max > SIZE_MAX / 2 ? SIZE_MAX : q.held_max * 2;
  while (!q.held.empty()) {
    held_statement& h = q.held.front();
    if (h.changes != nullptr && h.ticket > ticket) return;
    if (h.changes != nullptr) worker_.counters().commit_durations.add(worker_.now_ns() - h.held_since_ns);
    q.held_bytes -= h.bytes();
    answer(h.source, std::move(h.reply), std::move(h.subscriptions_ended));
    worker_.events().publish(h.events);
    count(q.table, h.queued);
    const bool drops_table = h.drops_table;
    q.held.pop_front();
    if (drops_table) unbind_everywhere(q.table);
  }
}

/// Undoes the statements from the one with this ticket on, last first, and takes them out of the queue.
std::deque<held_statement> table_runner::take_back(table_queue& q, std::uint64_t ticket) {
  worker_.events().hand_out();
  const auto first =
      std::ranges::find_if(q.held, [&](const held_statement& h) { return h.changes != nullptr && h.ticket >= ticket; });
  for (auto h = q.held.end(); h != first;) {
    --h;
    if (h->changes == nullptr) continue;
    if (h->source.pubsubid != 0) database_.drop_subscription(h->source.route.session, h->source.pubsubid);
    undo(q, *h->changes);
  }
  ++q.epoch;
  std::deque<held_statement> taken(std::make_move_iterator(first), std::make_move_iterator(q.held.end()));
  q.held.erase(first, q.held.end());
  for (const held_statement& h : taken) q.held_bytes -= h.bytes();
  return taken;
}

void table_runner::on_not_as_asked(table_queue& q, std::span<const result> results) {
  const auto is_meant = [&](const held_statement& h) {
    return h.changes != nullptr && !results.empty() && h.ticket == results.front().origin.ticket;
  };
  // Some have been taken back already.
  while (!results.empty() && std::ranges::none_of(q.held, is_meant)) results = results.subspan(1);
  if (results.empty()) return;
  q.held_max = results.front().what == write_result::fate::corrected ? 1 : std::max<std::size_t>(q.held.size() / 2, 16);
  std::deque<waiting_statement> again;
  for (held_statement& h : take_back(q, results.front().origin.ticket)) {
    if (!is_meant(h)) {
      again.push_back({.source = std::move(h.source), .barrier = false});
      continue;
    }
    const result& r = results.front();
    results = results.subspan(1);
    if (r.what == write_result::fate::corrected) {
      redo_corrected(q, std::move(h), r.rows);
    } else {
      std::string bytes;
      encode_store_error(bytes, h.source.route.address, r.error);
      std::vector<std::uint64_t> ended;
      if (h.source.pubsubid != 0) ended.push_back(h.source.pubsubid);
      answer(h.source, std::move(bytes), std::move(ended));
    }
  }
  q.waiting.insert(q.waiting.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
}

void table_runner::redo_corrected(table_queue& q, held_statement h, const storage::corrected_rows& rows) {
  if (h.source.ends_leases) return end_leases(q.table, *h.source.ends_leases, h.source.route.session);
  const parser::statement& s = *statements_.parse(h.source.sql);
  std::vector<std::uint32_t> inputs;
  for (const storage::change& c : h.changes->changes()) {
    using enum storage::change_kind;
    if (c.kind == insert_row || c.kind == update_row) inputs.push_back(c.input_row);
  }
  const storage::outcome& o = database_.execute(s, {.subscriber = h.source.route.session,
                                                    .pubsubid = h.source.pubsubid,
                                                    .corrections = &rows,
                                                    .corrected_inputs = inputs,
                                                    .now_us = worker_.now_us(),
                                                    .user = h.source.user.get(),
                                                    .on_slow = worker_.shared().settings.on_slow});
  if (o.changes.empty()) {
    spdlog::error("table {} differs from MySQL: a row as MySQL stored it was refused here: {}", q.table,
                  o.failure ? o.failure->message : "it changed nothing");
  }
  keep(q, std::move(h.source), o, true);
  if (o.changes.empty()) on_committed(q, 0);  // nothing before it: then it is answered now
}

void table_runner::advance(table_queue& q) {
  if (queues_kept_.knows(q.table)) queues_kept_.touched(q.table);  // pops that wait for rows have come before
  while (!q.waiting.empty() && !paused_ && !q.occupied && !q.is_full() &&
         !(q.waiting.front().barrier && !q.held.empty())) {
    if (worker_.must_hand_over()) return advance_later(q);
    waiting_statement next = std::move(q.waiting.front());
    q.waiting.pop_front();
    if (next.for_transaction) {
      set_occupied(q, true);
      q.owner = next.for_transaction->who;
      return run_owned(q, *next.for_transaction, true);
    }
    if (next.occupy) {
      set_occupied(q, true);
      database_.pin(q.table, true);
      return next.occupy();
    }
    if (next.source.shows_again != showing::nothing) {
      show_again(&q, std::move(next.source));
      continue;
    }
    table_queue* const queue = worker_.shared().store.has_store() ? &q : nullptr;
    if (next.source.ends_leases) {
      execute_ending(queue, std::move(next.source), q.table);
    } else {
      execute_from_text(queue, std::move(next.source));
    }
  }
  if (on_paused_) tell_when_paused();
}

/// Behind what hands over the replies that there are.
void table_runner::advance_later(table_queue& q) {
  boost::asio::post(worker_.context(), [this, &q] { advance(q); });
}

// Work from outside

void table_runner::occupy(std::string_view table, std::function<void()> ready) {
  table_queue& q = queue_of(table);
  q.waiting.push_back({.source = {}, .barrier = true, .occupy = std::move(ready)});
  advance(q);
}

void table_runner::set_occupied(table_queue& q, bool occupied) {
  q.occupied = occupied;
  occupied_queues_ += occupied ? 1 : std::size_t(-1);
}

void table_runner::release(std::string_view table) {
  table_queue& q = queue_of(table);
  set_occupied(q, false);
  database_.pin(table, false);
  advance(q);
}

void table_runner::pause(std::function<void()> ready) {
  paused_ = true;
  on_paused_ = std::move(ready);
  tell_when_paused();
}

void table_runner::tell_when_paused() {
  if (std::ranges::any_of(queue_by_number_, [](const table_queue* q) { return !q->held.empty(); })) return;
  database_.pin_all(true);
  std::exchange(on_paused_, {})();
}

void table_runner::resume() {
  paused_ = false;
  database_.pin_all(false);
  for (const table_queue* q : queue_by_number_) {
    if (q->occupied && q->owner == transaction_id{}) database_.pin(q->table, true);
  }
  // By number: running statements may add queues.
  for (std::size_t i = 0; i < queue_by_number_.size(); ++i) advance(*queue_by_number_[i]);
}

void table_runner::correct_late(std::shared_ptr<const statement_changes> written, storage::corrected_rows stored) {
  const std::string table(written->table_name());
  occupy(table, [this, table, written = std::move(written), stored = std::move(stored)] {
    if (const storage::table* t = database_.find(table)) {
      const storage::table_differences d = storage::durable::still_as_written(*t, *written, stored);
      if (d.size() > 0) repair({}, table, d);
    }
    release(table);
  });
}

void table_runner::show(const storage::table_description& own_table, const std::vector<std::string>& values) {
  const storage::table* t = database_.find(own_table.name);
  if (t == nullptr) {
    storage::table_description made = own_table;
    made.sequence = static_cast<std::uint64_t>(worker_.now_us());  // those that an earlier server told are below
    t = &database_.restore(made);
  }
  storage::table_differences d;
  storage::table_differences::outside_row row;
  row.values.emplace_back();
  row.values.insert(row.values.end(), values.begin(), values.end());
  if (t->row_count() == 0) {
    d.only_outside.push_back(std::move(row));
  } else {
    row.here = t->end_row(parser::queue_end::front);
    d.different.push_back(std::move(row));
  }
  publish(database_.repair(own_table.name, d));
}

void table_runner::repair(const reply_route& to, std::string_view table, const storage::table_differences& d,
                          const storage::table_description* outside) {
  table_queue& q = queue_of(table);
  const storage::outcome& o = database_.repair(table, d, outside);
  if (o.failure) spdlog::warn("table {} stays different from MySQL: {}", table, o.failure->message);
  const statement_source from{.route = to, .text = {}, .sql = {}};
  if (!worker_.shared().store.has_store()) {
    // MySQL has been disconnected meanwhile: nobody is to be waited for.
    std::string bytes;
    encode_outcome(bytes, from, o);
    answer(from, std::move(bytes), {});
    return publish(o);
  }
  keep(q, from, o, true);
  if (o.changes.empty()) on_committed(q, 0);
}

void table_runner::drop_subscriber(storage::subscriber_id session) {
  worker_.events().hand_out();
  database_.drop_subscriber(session);
  for (table_queue* q : queue_by_number_) {
    std::erase_if(q->waiting, [session](const waiting_statement& w) {
      return (w.source.pubsubid != 0 || w.source.leases) && w.source.route.session == session;
    });
  }
  queues_kept_.forget(session);
}

void table_runner::end_turn() {
  end_costly();
  if (const std::size_t now = database_.history_bytes(); now != history_bytes_) {
    worker_.shared().history_bytes.fetch_add(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(history_bytes_),
                                             std::memory_order_relaxed);
    history_bytes_ = now;
  }
  if (!writes_.empty()) worker_.shared().store.submit(writes_);
}

// Replies and events

/// From here on the statement is on its own: its reply has a place, and its text is kept.
void table_runner::open_slot(statement_source& from) {
  if (from.sql.empty()) from.sql = from.text;
  if (from.route.slot != 0 || from.ends_leases) return;
  from.route.slot = worker_.find(from.route.session)->await_reply(from.pubsubid);
}

void table_runner::answer(const statement_source& from, std::string bytes,
                          std::vector<std::uint64_t> subscriptions_ended) {
  if (from.shows_again != showing::nothing) return answer_showing(from, std::move(bytes));
  if (from.ends_leases) return;
  statement_done done{.route = from.route,
                      .count = 1,
                      .bytes = std::move(bytes),
                      .subscriptions_ended = std::move(subscriptions_ended)};
  const unsigned home = subscriber::of(from.route.session).worker;
  if (home == worker_.index()) {
    worker_.statements().on(done);
  } else {
    if (!done.bytes.empty()) worker_.events().hand_out_for(home);
    worker_.send_done(home, std::move(done));
  }
}

kept_events table_runner::ready_events(const storage::outcome& o) {
  kept_events events;
  event_quota quota = worker_.shared().quota_of_worker();
  for (const storage::event& e : o.events) {
    ready_event ready{.event = {}, .targets = {e.targets.begin(), e.targets.end()}};
    encode_event(ready.event, *o.about, e, column_lists_);
    events.add(std::move(ready), quota);
  }
  return events;
}

void table_runner::publish(const storage::outcome& o) {
  for (const storage::event& e : o.events) worker_.events().publish(*o.about, e);
}

}  // namespace pubsubsql::server
