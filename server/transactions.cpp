#include "server/transactions.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

using fate = transaction_answer::fate;
using storage::durable::write;
using storage::durable::write_result;

namespace {

constexpr std::string_view deadlock_message = "Deadlock found when trying to get lock; try restarting transaction";

void encode_done(std::string& out, const client_request& a, std::string_view action) {
  if (!a.stream) encode_facts(out, a.to, action, {}, {});
}

std::size_t bytes_of(const std::vector<ready_event>& events) {
  std::size_t bytes = 0;
  for (const ready_event& e : events) {
    bytes += sizeof e + e.event.rows.size() + e.event.columns.size() + e.targets.size() * sizeof e.targets.front();
  }
  return bytes;
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
  const transaction_id id = worker_.shared().locks.make_id();
  auto& t = *open_.emplace(id, std::make_unique<transaction>(id, a.from.id(), worker_)).first->second;
  t.age.async_wait([this, id](const boost::system::error_code& cancelled) {
    if (!cancelled) expire(id);
  });
  a.from.transaction = id;
  a.from.reply([&](std::string& out) { encode_done(out, a, "begin"); });
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

void transactions::run(const client_request& a, const parser::statement& s, unsigned owner) {
  transaction& t = *of(a);
  await(t, a);
  const std::string_view name = parser::table_of(s);
  t.unsubscribing.reset();
  if (const auto* u = std::get_if<parser::unsubscribe_statement>(&s.body)) {
    t.unsubscribing = {.table = {}, .pubsubid = u->pubsubid};
  }
  transaction_request request{
      .who = t.id, .route = t.route, .table = std::string(name), .sql = std::string(a.sql), .now_us = worker_.now_us()};
  const auto known = std::ranges::find(t.tables, name, &touched_table::name);
  t.asked = static_cast<std::size_t>(known - t.tables.begin());
  if (known != t.tables.end()) return send(t, std::move(request));
  const bool is_first = t.tables.empty();
  t.tables.push_back({.name = request.table, .worker = owner});
  const auto when_open = [&shared = worker_.shared(), home = worker_.index(), id = t.id] {
    std::vector<worker_message> messages;
    messages.emplace_back(transactions_open{.who = id});
    shared.workers[home]->receive(messages);
  };
  if (!is_first || worker_.shared().locks.enter(t.id, when_open)) return send(t, std::move(request));
  t.at = stage::entering;
  t.request = std::move(request);
}

void transactions::on(const transactions_open& m) {
  transaction* const t = find(m.who);
  if (t == nullptr || t->at != stage::entering) return;
  const auto again = [&shared = worker_.shared(), home = worker_.index(), id = t->id] {
    std::vector<worker_message> messages;
    messages.emplace_back(transactions_open{.who = id});
    shared.workers[home]->receive(messages);
  };
  if (worker_.shared().locks.enter(t->id, again)) send(*t, std::move(t->request));
}

void transactions::send(transaction& t, transaction_request request) {
  t.at = stage::asking;
  const unsigned owner = t.tables[t.asked].worker;
  if (owner == worker_.index()) return tables_.run(std::move(request));
  worker_.send(owner, std::move(request));
}

// What comes of it

void transactions::on(transaction_answer& a) {
  transaction& t = *find(a.who);
  t.at = stage::idle;
  if (a.what == fate::deadlock || a.what == fate::cancelled) t.tables.pop_back();
  if (a.changes != nullptr) take(t, a);
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
  if (a.subscriptions_ended > 0) forget_subscription(t);
  answer(t, std::move(a.reply), a.subscriptions_ended);
}

void transactions::take(transaction& t, transaction_answer& a) {
  t.rows += static_cast<std::uint64_t>(std::ranges::count_if(
      a.changes->changes(), [](const storage::change& c) { return storage::is_about_rows(c.kind); }));
  t.bytes += a.changes->memory_bytes() + bytes_of(a.events);
  t.is_awaited = t.is_awaited || a.is_awaited;
  t.steps.push_back({.table = t.asked, .changes = std::move(a.changes), .events = std::move(a.events)});
}

/// Its client has been told that no more events come.
void transactions::forget_subscription(transaction& t) {
  if (!t.unsubscribing) return;
  const auto is_gone = [&](const storage::event_target& target) {
    return target.subscriber == t.session && target.pubsubid == t.unsubscribing->pubsubid.value_or(target.pubsubid);
  };
  for (step& s : t.steps) {
    if (s.table != t.asked) continue;
    for (ready_event& e : s.events) std::erase_if(e.targets, is_gone);
    std::erase_if(s.events, [](const ready_event& e) { return e.targets.empty(); });
  }
}

std::string transactions::limit_exceeded(const transaction& t) const {
  const options& o = worker_.shared().settings;
  if (t.rows > o.transaction_rows_max) {
    return "the transaction changed more than " + std::to_string(o.transaction_rows_max) +
           " rows and was rolled back; commit more often, or raise --max-transaction-rows";
  }
  if (t.bytes > o.transaction_bytes_max) {
    return "the transaction changed more than " + std::to_string(o.transaction_bytes_max) +
           " bytes and was rolled back; commit more often, or raise --max-transaction-bytes";
  }
  return {};
}

void transactions::expire(transaction_id who) {
  transaction* const t = find(who);
  if (t == nullptr || t->at == stage::committing) return;
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
      const touched_table& asked = t->tables[t->asked];
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
  if (t == nullptr) return;
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
      const touched_table& asked = t->tables[t->asked];
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
  if (!t.steps.empty() && worker_.shared().store.has_store()) {
    submit(t);
    if (t.is_awaited) {
      t.at = stage::committing;
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
  for (const step& s : t.steps) group.push_back(s.changes);
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
  if (r.what != write_result::fate::refused) return finish_commit(*t);
  std::string refusal;
  encode_store_error(refusal, t->route.address, r.error);
  fail(*t, std::move(refusal));
}

void transactions::finish_commit(transaction& t) {
  const std::unique_ptr<transaction> done = forget(t);
  answer(*done, std::move(done->reply));
  for (const step& s : done->steps) {
    for (const ready_event& e : s.events) worker_.events().publish(e.event, e.targets);
  }
  release(*done, false);
}

/// Rolls back, and says why.
void transactions::fail(transaction& t, std::string reply) {
  take_back(t);
  const std::unique_ptr<transaction> done = forget(t);
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
      std::ranges::any_of(t.tables, [this](const touched_table& table) { return table.worker != worker_.index(); });
  if (is_elsewhere) worker_.hand_over_now();
  for (std::size_t i = 0; i < t.tables.size(); ++i) {
    transaction_end end{.who = t.id, .table = t.tables[i].name, .undo = {}};
    for (const step& s : t.steps) {
      if (undo && s.table == i) end.undo.push_back(s.changes);
    }
    if (t.tables[i].worker == worker_.index()) {
      tables_.end(end);
    } else {
      worker_.send(t.tables[i].worker, std::move(end));
    }
  }
}

void transactions::answer(const transaction& t, std::string bytes, std::uint64_t subscriptions_ended) {
  statement_done done{
      .route = t.route, .count = 1, .bytes = std::move(bytes), .subscriptions_ended = subscriptions_ended};
  worker_.statements().on(done);
}

}  // namespace pubsubsql::server
