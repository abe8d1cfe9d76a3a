#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "server/shared_state.hpp"
#include "server/subscriber.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/errors.hpp"
#include "storage/table.hpp"

// The part of transactions at the tables: keeping a table for one, running its statements, taking them back.

namespace pubsubsql::server {

using storage::durable::statement_changes;

namespace {

/// MySQL gives such a key when it commits, and until then the row could be found neither here nor there.
std::string key_is_needed(std::string_view table, std::string_view column) {
  return "MySQL gives the column " + std::string(column) + " of table " + std::string(table) +
         " its value, which a transaction cannot wait for; give it one in the statement, or insert outside the "
         "transaction";
}

}  // namespace

void table_runner::run(transaction_request request) {
  table_queue& q = queue_of(request.table);
  if (q.owner == request.who) return run_owned(q, request, false);
  if (!worker_.shared().locks.want(request.who, request.table)) {
    return answer({.who = request.who, .session = request.route.session, .what = transaction_answer::fate::deadlock});
  }
  waiting_statement& w = q.waiting.emplace_back();
  w.barrier = true;
  w.for_transaction = std::make_unique<transaction_request>(std::move(request));
  advance(q);
}

/// `is_first`: the table has just become the transaction's.
void table_runner::run_owned(table_queue& q, const transaction_request& request, bool is_first) {
  transaction_answer a{.who = request.who, .session = request.route.session};
  if (request.makes_table) make_table(q, a, request.route.address);
  if (!request.sql.empty()) run_owned(q, request, a);
  // What was asked of the table before has to be with the store and the subscribers when the transaction's changes get
  // there from another worker.
  const bool is_elsewhere = subscriber::of(a.session).worker != worker_.index();
  if (is_first && is_elsewhere) worker_.hand_over_now();
  answer(std::move(a));
}

void table_runner::make_table(table_queue& q, transaction_answer& a, const reply_address& to) {
  const storage::outcome& o = database_.make_table(q.table, worker_.now_us());
  if (o.failure) {
    a.what = transaction_answer::fate::failed;
    return encode_error(a.reply, to, *o.failure);
  }
  if (o.changes.empty()) return;
  a.is_stored = o.about->is_stored();
  a.is_awaited = a.is_stored && !is_acknowledged_at_once(o);
  a.changes = std::make_shared<const statement_changes>(*o.about, o.changes);
}

void table_runner::run_owned(table_queue& q, const transaction_request& request, transaction_answer& a) {
  if (!request.copies_from.empty()) return copy_into(q, request, a);
  const parser::statement& s = *statements_.parse(request.sql);
  if (is_barrier(s.body)) before_subscriptions_change();
  std::uint64_t binding = 0;
  const auto* const bind = std::get_if<parser::bind_statement>(&s.body);
  if (bind != nullptr && !claim_binding(*bind, a, binding, request.route.address)) return;
  const storage::database::caller who{.subscriber = request.route.session,
                                      .inner_results = request.inner.get(),
                                      .now_us = request.now_us,
                                      .user = request.user.get(),
                                      .binding = binding,
                                      .memory_exceeded = worker_.shared().memory.exceeded(),
                                      .by_server = request.by_server};
  if (request.wants_rows) {
    if (const auto failure = database_.select_inner(s, who, a.rows.emplace())) {
      a.what = transaction_answer::fate::failed;
      if (!failure->limit.empty()) worker_.shared().counters.refused(failure->limit);
      encode_error(a.reply, request.route.address, *failure);
    }
    return;
  }
  const storage::outcome& o = database_.execute(s, who);
  const statement_source from{.route = request.route, .stream = s.stream, .text = {}, .sql = {}};
  a.subscriptions_ended = subscriptions_ended(s.body, 0, o);
  encode_outcome(a.reply, from, o);
  if (o.failure) a.what = transaction_answer::fate::failed;
  if (bind != nullptr) note_bindings(q.table);
  take(o, a);
  if (a.changes == nullptr || a.changes->wanted_key().empty()) return;
  const std::string why = key_is_needed(q.table, a.changes->wanted_key());
  undo(q, *a.changes);
  a = {.who = a.who, .session = a.session, .what = transaction_answer::fate::failed};
  encode_error(a.reply, request.route.address, why);
}

/// What a statement has come to, for the transaction to keep.
void table_runner::take(const storage::outcome& o, transaction_answer& a) {
  a.events = ready_events(o);
  a.queued = o.queued;
  a.copied.assign(o.copied.begin(), o.copied.end());
  if (!o.copies.empty()) a.copies = wanted_copies(o);
  if (o.changes.empty()) return;
  a.is_stored = o.about->is_stored();
  a.is_awaited = a.is_stored && !is_acknowledged_at_once(o);
  a.changes = std::make_shared<const statement_changes>(*o.about, o.changes);
}

/// The rows of a binding. Who was allowed to bind has decided that they are copied: no rights are asked.
void table_runner::copy_into(table_queue& q, const transaction_request& request, transaction_answer& a) {
  const storage::table* const queue = database_.find(q.table);
  if (queue == nullptr) return;
  const auto refuse = [&](storage::error e) {
    if (!e.limit.empty()) worker_.shared().counters.refused(e.limit);
    e.message = "the row cannot be copied from " + request.copies_from + " to " + q.table + ": " + e.message;
    a.what = transaction_answer::fate::failed;
    encode_error(a.reply, request.route.address, e);
  };
  const parser::statement* const s = statements_.parse(request.sql);
  if (s == nullptr)
    return refuse({.code = storage::error_code::unsupported, .message = parser::message(statements_.error())});
  const std::optional<parser::statement> cut = without_own_columns(*s, *queue);
  const parser::statement& insert = cut ? *cut : *s;
  if (std::get<parser::insert_statement>(insert.body).rows.columns.empty()) {
    a.what = transaction_answer::fate::failed;
    return encode_error(a.reply, request.route.address, storage::nothing_to_copy(request.copies_from, q.table));
  }
  const storage::outcome& o = database_.execute(insert, {.subscriber = request.route.session,
                                                         .now_us = request.now_us,
                                                         .memory_exceeded = worker_.shared().memory.exceeded()});
  if (o.failure) return refuse(*o.failure);
  take(o, a);
  if (a.changes == nullptr || a.changes->wanted_key().empty()) return;
  const std::string why = key_is_needed(q.table, a.changes->wanted_key());
  undo(q, *a.changes);
  a = {.who = a.who, .session = a.session};
  refuse({.code = storage::error_code::unsupported, .message = why});
}

void table_runner::answer(transaction_answer a) {
  const unsigned home = subscriber::of(a.session).worker;
  if (home == worker_.index()) return worker_.statements().on(a);
  worker_.send(home, std::move(a));
}

void table_runner::cancel(const transaction_cancel& c) {
  table_queue& q = queue_of(c.table);
  const auto it = std::ranges::find_if(q.waiting, [&](const waiting_statement& w) {
    return w.for_transaction != nullptr && w.for_transaction->who == c.who;
  });
  if (it == q.waiting.end()) return;  // its answer is on the way
  const storage::subscriber_id session = it->for_transaction->route.session;
  q.waiting.erase(it);
  worker_.shared().locks.release(c.who, c.table);
  answer({.who = c.who, .session = session, .what = transaction_answer::fate::cancelled});
  advance(q);
}

void table_runner::take_back(const transaction_undo& u) {
  table_queue& q = queue_of(u.table);
  worker_.events().hand_out();
  for (auto changes = u.undo.rbegin(); changes != u.undo.rend(); ++changes) undo(q, **changes);
}

void table_runner::end(const transaction_end& e) {
  table_queue& q = queue_of(e.table);
  if (!e.undo.empty()) {
    worker_.events().hand_out();
    for (auto changes = e.undo.rbegin(); changes != e.undo.rend(); ++changes) {
      undo(q, **changes);
    }
  }
  count(q.table, e.queued);
  q.owner = {};
  set_occupied(q, false);
  worker_.shared().locks.release(e.who, e.table);
  advance(q);
}

}  // namespace pubsubsql::server
