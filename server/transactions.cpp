#include "server/transactions.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "parser/subqueries.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

using fate = transaction_answer::fate;
using storage::durable::write;
using storage::durable::write_result;

namespace {

constexpr std::string_view deadlock_message = "Deadlock found when trying to get lock; try restarting transaction";

void encode_done(std::string& out, const client_request& a, std::string_view action) {
  encode_facts(out, a.to, action, {}, {});
}

}  // namespace

transactions::transaction::transaction(transaction_id i, storage::subscriber_id s, worker& w)
    : id(i), session(s), age(w.context(), std::chrono::seconds(w.shared().settings.transaction_seconds_max)) {}

transactions::transactions(worker& w, table_runner& own_tables) : worker_(w), tables_(own_tables) {}

transactions::~transactions() = default;

transactions::transaction* transactions::find(transaction_id who) {
  const auto it = open_.find(who);
  return it == open_.end() ? nullptr : it->second.get();
}

transactions::transaction* transactions::of(const client_request& a) {
  return find(a.from.transaction);
}

std::unique_ptr<transactions::transaction> transactions::forget(transaction& t) {
  if (session* s = worker_.find(t.session)) s->transaction = {};
  auto forgotten = std::move(open_.find(t.id)->second);
  open_.erase(t.id);
  return forgotten;
}

// What clients ask

void transactions::begin(const client_request& a) {
  if (of(a) != nullptr) {
    return a.from.reply([&](std::string& out) {
      encode_error(out, a.to, "a transaction has begun already; commit or roll back before the next");
    });
  }
  add(a);
  a.from.reply([&](std::string& out) { encode_done(out, a, "begin"); });
}

transactions::transaction& transactions::add(const client_request& a) {
  const transaction_id id = worker_.shared().locks.make_id();
  auto& t = *open_.emplace(id, std::make_unique<transaction>(id, a.from.id(), worker_)).first->second;
  t.age.async_wait([this, id](const boost::system::error_code& cancelled) {
    if (!cancelled) expire(id);
  });
  a.from.transaction = id;
  return t;
}

bool transactions::tell_ended(const client_request& a) {
  transaction* const t = of(a);
  if (t == nullptr || t->at != stage::ended) return false;
  a.from.reply([&](std::string& out) { encode_error(out, a.to, t->why_ended); });
  forget(*t);
  return true;
}

void transactions::roll_back(const client_request& a) {
  if (transaction* const t = of(a)) {
    if (t->at != stage::ended) take_back(*t);
    forget(*t);
  }
  a.from.reply([&](std::string& out) { encode_done(out, a, "rollback"); });
}

/// Its reply may take some time, and nothing else may be run meanwhile.
void transactions::await(transaction& t, const client_request& a) {
  t.route = {.session = a.from.id(), .slot = a.from.await_reply_alone(), .address = a.to};
}

void transactions::run(const client_request& a, const parser::statement& s, std::vector<placed_table> tables) {
  transaction* t = of(a);
  if (t == nullptr) {
    t = &add(a);
    t->is_implicit = true;
  }
  await(*t, a);
  t->main.reset();
  t->steps_before = t->steps.size();
  t->rows_before = t->rows;
  t->bytes_before = t->bytes;
  t->unsubscribing.reset();
  if (const auto* u = std::get_if<parser::unsubscribe_statement>(&s.body)) {
    t->unsubscribing = {.table = {}, .pubsubid = u->pubsubid};
  }
  make_plan(*t, {.sql = a.sql, .user = a.from.identity.user, .now_us = worker_.now_us()}, s, tables);
  ask_next(*t);
}

/// First the tables, in one order for all: then statements that are alone do not wait for each other. Then the
/// subqueries, each where its table is, unless one worker has all tables; then the statement itself.
void transactions::make_plan(transaction& t, const statement_facts& of, const parser::statement& s,
                             std::span<const placed_table> tables) const {
  const auto add = [&](const placed_table& at, std::string sql) -> planned_request& {
    return t.plan.emplace_back(planned_request{.request = {.who = t.id,
                                                           .route = t.route,
                                                           .table = at.name,
                                                           .sql = std::move(sql),
                                                           .inner = {},
                                                           .now_us = of.now_us,
                                                           .user = of.user,
                                                           .by_server = !t.dead_of.empty()},
                                               .worker = at.worker});
  };
  t.plan.clear();
  t.inner_results.clear();
  if (tables.size() > 1) {
    std::vector<placed_table> wanted(tables.begin(), tables.end());
    const auto* const bind = std::get_if<parser::bind_statement>(&s.body);
    if (bind == nullptr) add_reachable(wanted);
    sort_by_rank(wanted);
    // Whoever has the dead letter table may keep it for long: meanwhile the queue goes on.
    std::stable_partition(wanted.begin(), wanted.end(), [&](const placed_table& w) { return w.name != t.dead_of; });
    for (const placed_table& w : wanted) {
      if (std::ranges::find(t.tables, w.name, &placed_table::name) != t.tables.end()) continue;
      add(w, {}).request.makes_table = bind != nullptr && w.name == bind->queue;
    }
  }
  const auto is_elsewhere = [&](const placed_table& other) { return other.worker != tables.front().worker; };
  std::vector<const parser::select_statement*> inner;
  if (std::ranges::any_of(tables, is_elsewhere)) parser::subqueries_of(s.body, inner);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const parser::statement alone{.stream = false, .body = *inner[i]};
    const auto at = std::ranges::find(tables, inner[i]->table, &placed_table::name);
    planned_request& p = add(at == tables.end() ? tables.front() : *at, parser::print(alone));
    p.request.wants_rows = true;
    std::vector<const parser::select_statement*> deeper;
    parser::subqueries_of(alone.body, deeper);
    p.first_inner = i - deeper.size();
    p.inner_count = deeper.size();
  }
  add(tables.front(), std::string(of.sql)).inner_count = inner.size();
}

bool transactions::enter(transaction_id who) {
  return worker_.shared().locks.enter(who, [&shared = worker_.shared(), home = worker_.index(), who] {
    std::vector<worker_message> messages;
    messages.emplace_back(transactions_open{.who = who});
    shared.workers[home]->receive(messages);
  });
}

void transactions::ask_next(transaction& t) {
  const planned_request& p = t.plan.front();
  const auto known = std::ranges::find(t.tables, p.request.table, &placed_table::name);
  t.asked = static_cast<std::size_t>(known - t.tables.begin());
  if (known == t.tables.end()) {
    const bool is_first = t.tables.empty();
    t.tables.push_back({.name = p.request.table, .worker = p.worker});
    if (is_first && !enter(t.id)) {
      t.at = stage::entering;
      return;
    }
  }
  send_first(t);
}

void transactions::on(const transactions_open& m) {
  transaction* const t = find(m.who);
  if (t != nullptr && t->at == stage::entering && enter(t->id)) send_first(*t);
}

void transactions::send_first(transaction& t) {
  t.at = stage::asking;
  planned_request p = std::move(t.plan.front());
  t.plan.pop_front();
  if (p.inner_count > 0) {
    const auto first = t.inner_results.begin() + static_cast<std::ptrdiff_t>(p.first_inner);
    p.request.inner = std::make_shared<const std::vector<storage::sql::inner_result>>(
        first, first + static_cast<std::ptrdiff_t>(p.inner_count));
  }
  const bool is_copy = !p.request.copies_from.empty();
  if (is_copy) t.bytes -= p.request.sql.size();  // what it comes to is counted from now on
  if (p.worker == worker_.index() && !is_copy) return tables_.run(std::move(p.request));
  if (p.worker == worker_.index()) {
    // Later, not from here: one answer leads to the next copy, and there may be thousands.
    return boost::asio::post(worker_.context(), [this, request = std::move(p.request)]() mutable {
      tables_.run(std::move(request));
      worker_.end_turn_later();
    });
  }
  worker_.send(p.worker, std::move(p.request));
}

// Transactions of the server's own

namespace {

/// So many rows at a time, so that the tables are soon to be had again.

constexpr std::string_view reason_of(storage::lease_end why) {
  switch (why) {
    case storage::lease_end::time:
      return "lease ended";
    case storage::lease_end::connection:
      return "connection ended";
    case storage::lease_end::restart:
      return "server restarted";
    case storage::lease_end::refused:
      break;
  }
  return "nack";
}

/// The dead rows from a position on that died as that one did, as a condition.
std::string dead_rows(const storage::queue_index& q, storage::row_position from, std::size_t count) {
  std::string where = " where id in (" + std::to_string(storage::id_of(from));
  for (auto dead = q.dead().upper_bound(from); count > 1 && dead != q.dead().end(); ++dead) {
    if (q.death_of(dead->first) != q.death_of(from)) continue;
    where += ", " + std::to_string(storage::id_of(dead->first));
    --count;
  }
  return where + ") and leased_until is null and attempts >= " + std::to_string(q.settings().attempts_max);
}

/// The columns by name, with how often a row was tried, when that ended, and why.
std::string copy_of_dead(const storage::table& t, storage::lease_end why, std::int64_t now_us, std::string_view where) {
  const storage::queue_index& q = *t.queue();
  std::string names;
  std::string values;
  const auto add = [&](const std::string& name, const std::string& value) {
    names += (names.empty() ? "" : ", ") + name;
    values += (values.empty() ? "" : ", ") + value;
  };
  for (const storage::column_index column : t.all_columns()) {
    if (column == storage::id_column || (q.is_own(column) && column != q.attempts_column())) continue;
    const std::string name = parser::quote_name(t.column_name(column));
    add(name, name);
  }
  std::string died_at;
  storage::sql::append_datetime(died_at, now_us, storage::sql::fraction_digits_max);
  if (!t.find_column("died_at")) add("died_at", "'" + died_at + "'");
  if (!t.find_column("reason")) add("reason", "'" + std::string(reason_of(why)) + "'");
  return "insert into " + parser::quote_name(q.settings().dead_letter) + " (" + names + ") select " + values +
         " from " + parser::quote_name(t.name()) + std::string(where);
}

}  // namespace

bool transactions::move_dead(const storage::table& queue, storage::row_position from, std::size_t count,
                             unsigned dead_letter_worker) {
  const storage::queue_index& q = *queue.queue();
  const std::int64_t now_us = worker_.now_us();
  const std::string where = dead_rows(q, from, count);
  const std::string copy = copy_of_dead(queue, q.death_of(from), now_us, where);
  parser::statement_arena arena;
  const auto parsed = parser::parse(copy, arena);
  if (!parsed) return false;
  const subscriber nobody{.worker = worker_.index(), .place = 0xffffff, .generation = 0};
  const transaction_id id = worker_.shared().locks.make_id();
  auto& t = *open_.emplace(id, std::make_unique<transaction>(id, nobody.id(), worker_)).first->second;
  t.age.async_wait([this, id](const boost::system::error_code& cancelled) {
    if (!cancelled) expire(id);
  });
  t.is_implicit = true;
  t.dead_of = queue.name();
  t.route.session = t.session;
  const placed_table tables[] = {{.name = q.settings().dead_letter, .worker = dead_letter_worker},
                                 {.name = t.dead_of, .worker = worker_.index()}};
  make_plan(t, {.sql = copy, .now_us = now_us}, *parsed, tables);
  t.plan.push_back({.request = {.who = id,
                                .route = t.route,
                                .table = t.dead_of,
                                .sql = "delete from " + parser::quote_name(t.dead_of) + where,
                                .now_us = now_us,
                                .by_server = true},
                    .worker = worker_.index()});
  ask_next(t);
  return true;
}

void transactions::tell_moved(const transaction& t, std::string_view reply) {
  if (!t.dead_of.empty()) tables_.queues().moved_dead(t.dead_of, reply);
}

// What comes of it

void transactions::on(transaction_answer& a) {
  transaction& t = *find(a.who);
  t.at = stage::idle;
  if (a.what == fate::deadlock || a.what == fate::cancelled) t.tables.pop_back();
  if (a.changes != nullptr || !a.events.empty() || !a.copied.empty()) take(t, a);
  if (t.is_abandoned) return fail(t, a.reply.empty() ? gone_reply(t) : std::move(a.reply));
  std::string refusal;
  if (a.what == fate::deadlock) {
    encode_store_error(refusal, t.route.address,
                       {.code = 1213, .sqlstate = "40001", .message = std::string(deadlock_message)});
    return fail(t, std::move(refusal));
  }
  if (t.why_ended.empty()) t.why_ended = limit_exceeded(t);
  if (!t.why_ended.empty()) {
    encode_error(refusal, t.route.address, t.why_ended);
    return fail(t, std::move(refusal));
  }
  go_on(t, a);
}

/// With the next part of the statement, if there is one.
void transactions::go_on(transaction& t, transaction_answer& a) {
  if (a.what == fate::failed) {
    if (t.main && !t.is_implicit) undo_statement(t);
    return finish_statement(t, a);
  }
  const bool is_part = !t.plan.empty() && !t.main;
  plan_copies(t, a.copies);  // also of dead rows, whose deletion is still to come
  if (is_part) {
    if (a.rows) t.inner_results.push_back(std::move(*a.rows));
    return ask_next(t);
  }
  if (t.plan.empty()) return finish_statement(t, t.main ? *t.main : a);
  if (!t.main) t.main = std::move(a);
  ask_next(t);
}

void transactions::finish_statement(transaction& t, transaction_answer& a) {
  t.plan.clear();
  if (!a.subscriptions_ended.empty()) forget_subscription(t);
  if (!t.is_implicit) return answer(t, std::move(a.reply), std::move(a.subscriptions_ended));
  if (a.what == fate::failed) return fail(t, std::move(a.reply));
  t.reply = std::move(a.reply);
  finish(t);
}

void transactions::take(transaction& t, transaction_answer& a) {
  t.bytes += a.events.bytes();
  if (a.changes != nullptr) {
    t.rows += static_cast<std::uint64_t>(std::ranges::count_if(
        a.changes->changes(), [](const storage::change& c) { return storage::is_about_rows(c.kind); }));
    t.bytes += a.changes->memory_bytes();
  }
  t.is_awaited = t.is_awaited || a.is_awaited;
  t.steps.push_back({.table = t.asked,
                     .is_stored = a.is_stored,
                     .changes = std::move(a.changes),
                     .events = std::move(a.events),
                     .queued = a.queued,
                     .copied = std::move(a.copied)});
}

/// Its client has been told that no more events come.
void transactions::forget_subscription(transaction& t) {
  if (!t.unsubscribing) return;
  const auto is_gone = [&](const storage::event_target& target) {
    return target.subscriber == t.session && target.pubsubid == t.unsubscribing->pubsubid.value_or(target.pubsubid);
  };
  for (step& s : t.steps) {
    if (s.table != t.asked) continue;
    s.events.forget(is_gone);
  }
}

std::string transactions::limit_exceeded(const transaction& t) const {
  const options& o = worker_.shared().settings;
  if (t.rows > o.transaction_rows_max) {
    worker_.shared().counters.refused("max-transaction-rows");
    return "the transaction changed more than " + std::to_string(o.transaction_rows_max) +
           " rows and was rolled back; commit more often, or raise --max-transaction-rows";
  }
  if (t.bytes > o.transaction_bytes_max) {
    worker_.shared().counters.refused("max-transaction-bytes");
    return "the transaction changed more than " + std::to_string(o.transaction_bytes_max) +
           " bytes and was rolled back; commit more often, or raise --max-transaction-bytes";
  }
  return {};
}

void transactions::expire(transaction_id who) {
  transaction* const t = find(who);
  if (t == nullptr || t->at == stage::committing) return;
  worker_.shared().counters.refused("max-transaction-seconds");
  t->why_ended = "the transaction took longer than " +
                 std::to_string(worker_.shared().settings.transaction_seconds_max) +
                 " seconds and was rolled back; begin again, or raise --max-transaction-seconds";
  switch (t->at) {
    case stage::idle:
      take_back(*t);
      t->at = stage::ended;
      break;
    case stage::entering: {
      t->tables.clear();
      std::string refusal;
      encode_error(refusal, t->route.address, t->why_ended);
      fail(*t, std::move(refusal));
      break;
    }
    case stage::asking: {
      const placed_table& asked = t->tables[t->asked];
      transaction_cancel cancel{.who = who, .table = asked.name};
      if (asked.worker == worker_.index()) return tables_.cancel(cancel);
      worker_.send(asked.worker, std::move(cancel));
      break;
    }
    case stage::committing:
    case stage::ended:
      break;
  }
}

/// A connection that ends still gets its replies, if it is there to take them.
std::string transactions::gone_reply(const transaction& t) {
  std::string reply;
  encode_error(reply, t.route.address, "the connection ends, so its transaction was rolled back");
  return reply;
}

void transactions::abandon(transaction_id who) {
  transaction* const t = find(who);
  if (t == nullptr || t->is_implicit) return;  // a statement is run, whoever is there for its reply
  t->is_abandoned = true;
  switch (t->at) {
    case stage::idle:
      take_back(*t);
      forget(*t);
      break;
    case stage::entering:
      t->tables.clear();
      fail(*t, gone_reply(*t));
      break;
    case stage::ended:
      forget(*t);
      break;
    case stage::asking: {
      const placed_table& asked = t->tables[t->asked];
      transaction_cancel cancel{.who = who, .table = asked.name};
      if (asked.worker == worker_.index()) return tables_.cancel(cancel);
      worker_.send(asked.worker, std::move(cancel));
      break;
    }
    case stage::committing:
      break;
  }
}

// The end

void transactions::commit(const client_request& a) {
  transaction* const t = of(a);
  if (t == nullptr) return a.from.reply([&](std::string& out) { encode_done(out, a, "commit"); });
  await(*t, a);
  encode_done(t->reply, a, "commit");
  finish(*t);
}

void transactions::finish(transaction& t) {
  const auto has_stored = [](const step& s) { return s.changes != nullptr && s.is_stored; };
  if (std::ranges::any_of(t.steps, has_stored) && worker_.shared().store.has_store()) {
    submit(t);
    if (t.is_awaited) {
      t.at = stage::committing;
      t.committing_since_ns = worker_.now_ns();
      return;
    }
  }
  finish_commit(t);
}

/// What it changed goes to the store as one.
void transactions::submit(transaction& t) {
  const auto number = static_cast<std::uint64_t>(t.id);
  const storage::durable::write_origin origin{
      .worker = worker_.index(),
      .queue = first_queue | (static_cast<std::uint32_t>(number) & (first_queue - 1)),
      .ticket = number};
  storage::durable::change_group group;
  for (const step& s : t.steps) {
    if (s.changes != nullptr && s.is_stored) group.push_back(s.changes);
  }
  std::vector<write> writes;
  writes.push_back({.changes = {},
                    .group = std::make_shared<const storage::durable::change_group>(std::move(group)),
                    .origin = origin,
                    .awaited = t.is_awaited});
  tables_.end_turn();  // what was asked of tables of this worker comes before
  worker_.shared().store.submit(writes);
}

void transactions::on(write_result& r) {
  transaction* const t = find(transaction_id{r.origin.ticket});
  if (t == nullptr) return;
  if (r.what != write_result::fate::refused) {
    if (t->at == stage::committing) {
      worker_.counters().commit_durations.add(worker_.now_ns() - t->committing_since_ns);
    }
    return finish_commit(*t);
  }
  std::string refusal;
  encode_store_error(refusal, t->route.address, r.error);
  fail(*t, std::move(refusal));
}

void transactions::finish_commit(transaction& t) {
  const std::unique_ptr<transaction> done = forget(t);
  answer(*done, std::move(done->reply));
  for (const step& s : done->steps) {
    worker_.events().publish(s.events);
    for (const storage::copied_rows& c : s.copied) c.counter->fetch_add(c.rows, std::memory_order_relaxed);
  }
  release(*done, false);
  tell_moved(*done, {});
}

/// Rolls back, and says why.
void transactions::fail(transaction& t, std::string reply) {
  take_back(t);
  const std::unique_ptr<transaction> done = forget(t);
  tell_moved(*done, reply);
  answer(*done, std::move(reply));
}

void transactions::take_back(transaction& t) {
  release(t, true);
  t.tables.clear();
  t.steps.clear();
}

void transactions::release(transaction& t, bool undo) {
  // Later events of these tables come from their own workers: those of the transaction have to be there before.
  const bool is_elsewhere =
      std::ranges::any_of(t.tables, [this](const placed_table& table) { return table.worker != worker_.index(); });
  if (is_elsewhere) worker_.hand_over_now();
  for (std::size_t i = 0; i < t.tables.size(); ++i) {
    transaction_end end{.who = t.id, .table = t.tables[i].name, .undo = {}};
    for (const step& s : t.steps) {
      if (s.table != i) continue;
      if (!undo) end.queued += s.queued;
      if (undo && s.changes != nullptr) end.undo.push_back(s.changes);
    }
    if (t.tables[i].worker == worker_.index()) {
      tables_.end(end);
    } else {
      worker_.send(t.tables[i].worker, std::move(end));
    }
  }
}

void transactions::answer(const transaction& t, std::string bytes, std::vector<std::uint64_t> subscriptions_ended) {
  statement_done done{
      .route = t.route, .count = 1, .bytes = std::move(bytes), .subscriptions_ended = std::move(subscriptions_ended)};
  worker_.statements().on(done);
}

}  // namespace pubsubsql::server
