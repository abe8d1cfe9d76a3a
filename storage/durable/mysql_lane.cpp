#include "storage/durable/mysql_lane.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <spdlog/spdlog.h>

namespace pubsubsql::storage::durable {

namespace {

/// How often a transaction that MySQL could not finish for the sake of others is tried.
constexpr int attempts_max = 10;

/// Others hold a lock. Waiting for it once has taken long, and it need not be the last time.
constexpr int lock_wait_timeout = 1205;

/// No key, no such column, no such table, a column that wants a value: somebody has changed the table.
constexpr std::array schema_differs = {mysql_error::read_only_table, mysql_error::no_such_column, 1146, 1364};

/// MySQL's word for a connection that broke.
constexpr int connection_lost = 2013;

bool changes_schema(const write& w) {
  return std::ranges::any_of(w.statements(), [](const auto& s) { return s->changes_schema(); });
}

bool gives_tables(const write& w) {
  return w.group != nullptr && w.group->empty();
}

store_error to_error(const mysql_error& e) {
  return {.code = e.code(), .sqlstate = e.sqlstate(), .message = e.what()};
}

}  // namespace

mysql_lane::mysql_lane(const settings& s, unsigned number, const table_lanes& lanes, unverified_tables& unverified,
                       sqlite_store* journal)
    : settings_(s), number_(number), lanes_(lanes), unverified_(unverified), journal_(journal) {}

mysql_lane::~mysql_lane() {
  stop();
}

void mysql_lane::connect() {
  auto connection = std::make_unique<mysql_connection>(settings_.address, settings_.connection);
  writer_.reset();
  positions_.reset();
  connection_ = std::move(connection);
  catalog_.forget();
  arrived_.clear();
  writer_ = std::make_unique<mysql_writer>(*connection_, catalog_);
  positions_ =
      std::make_unique<mysql_positions>(*connection_, journal_ == nullptr ? std::string_view() : journal_->id());
  positions_->make_tables();
  positions_->require_writable();
  connection_->run("COMMIT");
  if (!thread_.joinable()) {
    verify_tables();
    take_told_columns();
    while (deliver_journal_piece()) {
    }
    online_ = true;
  }
}

void mysql_lane::start(result_handler on_results, correction_handler on_correction) {
  on_correction_ = std::move(on_correction);
  results_ = std::make_unique<result_sorter>(std::move(on_results));
  if (!online_) offline_since_ = clock::now().time_since_epoch().count();
  thread_ = std::thread([this] { run(); });
}

void mysql_lane::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void mysql_lane::run() {
  try {
    if (is_online()) make_claims();
  } catch (const mysql_error& e) {
    lose_connection(e);
  }
  for (;;) {
    if (!is_online() && clock::now() >= next_attempt_) reconnect();
    queue_.wait(longest_wait());
    if (is_online() && clock::now() - last_use_ >= settings_.ping_before_use_after) ping();
    auto batch = queue_.pop(settings_.transaction_bytes_max, std::chrono::milliseconds(0));
    if (!batch) break;
    if (is_online() && !blocked_.empty() && clock::now() >= retry_blocked_at_) retry_blocked();
    take(batch->writes);
    do_jobs(batch->jobs);
    if (is_online()) last_use_ = clock::now();
  }
  if (!postponed_.empty()) {
    spdlog::error("the changes of {} statements are not in MySQL: {}", postponed_.size(), outage_.message);
  }
}

std::chrono::milliseconds mysql_lane::longest_wait() const {
  if (is_online()) return settings_.ping_after;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_attempt_ - clock::now());
  return std::max(left, std::chrono::milliseconds(0)) + std::chrono::milliseconds(1);
}

void mysql_lane::do_jobs(std::span<const write_queue::job> jobs) {
  for (const write_queue::job& j : jobs) j();
}

void mysql_lane::run(const std::function<void(mysql_connection&, mysql_catalog&)>& work) {
  // An error goes over as plain data: an exception that two threads share is freed by whoever is last.
  std::promise<std::optional<store_error>> done;
  queue_.push_job([&] {
    if (!is_online()) return done.set_value(outage_);
    std::optional<store_error> failure;
    try {
      work(*connection_, catalog_);
      connection_->run("ROLLBACK");  // ends the snapshot that reading has begun; work commits itself what it writes
    } catch (const mysql_error& e) {
      failure = to_error(e);
      if (e.is_outage()) lose_connection(e);
    }
    done.set_value(std::move(failure));
  });
  const std::optional<store_error> failure = done.get_future().get();
  if (failure) throw mysql_error(failure->code, failure->sqlstate, failure->message);
}

// Connections come and go

void mysql_lane::reconnect() {
  try {
    connect();
    outage_.message = "MySQL is back and is given what was kept for it; nothing was changed, try again in a moment";
    unblock();
    verify_tables();
    take_told_columns();
    make_claims();
    revert_doubtful();
    deliver_postponed();
    while (deliver_journal_piece()) {
      // What comes meanwhile goes behind the rest of the journal.
      auto more = queue_.pop(settings_.transaction_bytes_max, std::chrono::milliseconds(0));
      if (!more) continue;
      take(more->writes);
      do_jobs(more->jobs);
    }
    make_claims();  // of tables that were taken over meanwhile
    online_ = true;
    pause_ = std::chrono::milliseconds(0);
    spdlog::info("MySQL connection {} of {} is online ({})", number_ + 1, lanes_.count(), settings_.address.shown());
  } catch (const mysql_error& e) {
    lose_connection(e);
  } catch (const sqlite_error& e) {
    lose_connection(mysql_error(e.code(), "HY000", std::string("the journal cannot be read: ") + e.what()));
  }
}

void mysql_lane::lose_connection(const mysql_error& e) {
  if (is_online()) outages_.fetch_add(1, std::memory_order_relaxed);
  if (is_online() || offline_since_ == 0) offline_since_ = clock::now().time_since_epoch().count();
  online_ = false;
  writer_.reset();
  positions_.reset();
  connection_.reset();
  pause_ = pause_.count() == 0 ? settings_.retry_first : std::min(pause_ * 2, settings_.retry_last);
  next_attempt_ = clock::now() + pause_;
  const std::string text = e.what();
  {
    const std::scoped_lock lock(error_mutex_);
    if (text != last_error_ || pause_ == settings_.retry_first) {
      spdlog::warn("MySQL connection {} of {} is offline ({}): {} (error {}); trying again", number_ + 1,
                   lanes_.count(), settings_.address.shown(), text, e.code());
    }
    last_error_ = text;
  }
  outage_ = {.code = e.code(),
             .sqlstate = e.sqlstate(),
             .message = "MySQL is not available (" + text + "); nothing was changed, try again later"};
}

/// So that the state is known also when nothing is written, and the next change does not find out.
void mysql_lane::ping() {
  const auto began = clock::now();
  try {
    connection_->run("DO 1");
    last_use_ = clock::now();
  } catch (const mysql_error& e) {
    lose_connection(e);
    // One that was closed can be made again. A server that hangs hangs still.
    if (clock::now() - began < settings_.retry_first) reconnect();
  }
}

// Writes

bool mysql_lane::is_void(const write& w) const {
  if (void_epochs_.empty() || w.group != nullptr) return false;
  const auto it = void_epochs_.find(w.changes->table_name());
  return w.awaited && it != void_epochs_.end() && w.epoch <= it->second;
}

void mysql_lane::take(std::vector<write>& writes) {
  std::erase_if(writes, [this](const write& w) {
    if (!is_void(w)) return false;
    queue_.done({&w, 1});
    return true;
  });
  if (!is_online()) {
    put_off(writes);
  } else {
    try {
      write_online(writes);
    } catch (const mysql_error& e) {
      lose_connection(e);
      put_off(std::span(writes).subspan(finished_));
    }
  }
  results_->hand_over();
}

void mysql_lane::write_online(std::span<write> writes) {
  finished_ = 0;
  while (finished_ < writes.size()) {
    const std::span<write> rest = writes.subspan(finished_);
    write& first = rest.front();
    if (gives_tables(first)) {
      give(*first.handovers.front());
      queue_.done({&first, 1});
      finished_ += 1;
    } else if (!take_over(first)) {
      throw mysql_error(connection_lost, "HY000", "another connection that wrote some of the tables is offline");
    } else if (is_void(first)) {
      // One before it in this batch was not taken as it was: the worker sends what follows on that table again.
      queue_.done({&first, 1});
      finished_ += 1;
    } else if (is_blocked(first)) {
      if (first.group != nullptr) block_together(tables_of(*first.group));
      first.journal = true;
      forward(rest.first(1));
      finished_ += 1;
    } else if (first.in_mysql) {
      if (!has_arrived(*first.changes)) {
        const statement_changes* const statements[] = {first.changes.get()};
        commit(statements);  // only how far MySQL has got
      }
      forward(rest.first(1));
      finished_ += 1;
    } else if (changes_schema(first)) {
      write_schema_change(first);
      finished_ += 1;
    } else {
      const auto end = std::ranges::find_if(rest, [this](const write& w) {
        return w.in_mysql || changes_schema(w) || is_void(w) || is_blocked(w) || !w.handovers.empty();
      });
      const auto rows = static_cast<std::size_t>(end - rest.begin());
      write_rows(rest.first(rows));
      finished_ += rows;
    }
  }
}

void mysql_lane::write_rows(std::span<write> writes) {
  for (int attempt = 1;; ++attempt) {
    try {
      if (attempt == 1 && write_rows_folded(writes)) return forward(writes);
      connection_->run("ROLLBACK");
      return write_rows_one_by_one(writes);
    } catch (const mysql_error& e) {
      committing_ = committing_ && e.is_outage();
      if (e.is_outage()) throw;
      connection_->run("ROLLBACK");
      if (std::ranges::find(schema_differs, e.code()) != schema_differs.end()) catalog_.forget();
      // Neither is it this transaction's fault nor does it go away: the writes are treated as if MySQL were not there.
      const bool may_succeed = attempt == 1 || (e.is_transient() && attempt < attempts_max);
      if (!may_succeed || e.code() == lock_wait_timeout) throw mysql_error(connection_lost, "HY000", e.what());
    }
  }
}

bool mysql_lane::write_rows_folded(std::span<write> writes) {
  std::vector<const statement_changes*> statements;
  std::vector<std::vector<const statement_changes*>> by_table;
  absl::flat_hash_map<std::string_view, std::size_t> numbers;
  std::size_t number = 0;
  statements.reserve(writes.size());
  for (const write& w : writes) {
    for (const auto& kept : w.statements()) {
      const statement_changes* s = kept.get();
      // Most come after one of the same table.
      if (statements.empty() || s->table_name() != statements.back()->table_name()) {
        const auto [it, is_new] = numbers.try_emplace(s->table_name(), by_table.size());
        if (is_new) by_table.emplace_back();
        number = it->second;
      }
      statements.push_back(s);
      by_table[number].push_back(s);
    }
  }
  const bool awaited = std::ranges::any_of(writes, &write::awaited);
  // The connection does not commit by itself, so the first statement begins the transaction: one round trip less.
  for (const auto& of_table : by_table) {
    if (!writer_->write_folded(of_table.front()->table_name(), of_table, awaited)) return false;
  }
  store_acknowledgements(statements);
  commit(statements);
  return true;
}

void mysql_lane::write_rows_one_by_one(std::span<write> writes) {
  enum class fate : std::uint8_t { done, dropped, refused, corrected };
  struct outcome {
    fate what = fate::done;
    store_error error = {};
    std::vector<correction> corrections = {};
  };
  std::vector<outcome> outcomes(writes.size());
  std::vector<const statement_changes*> done;
  std::vector<std::string_view> stopped;  // tables of which the rest will come again
  connection_->run("START TRANSACTION");
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const write& w = writes[i];
    outcome& o = outcomes[i];
    const bool alone = w.group == nullptr;
    if (alone && w.awaited && std::ranges::find(stopped, w.changes->table_name()) != stopped.end()) {
      o.what = fate::dropped;
      continue;
    }
    connection_->run("SAVEPOINT statement");
    try {
      o.corrections = write_statements(w);
      if (!o.corrections.empty()) o.what = fate::corrected;
      for (const auto& s : w.statements()) done.push_back(s.get());
    } catch (const mysql_error& e) {
      if (e.is_outage() || e.is_transient()) throw;
      connection_->run("ROLLBACK TO SAVEPOINT statement");
      o = {.what = fate::refused, .error = to_error(e), .corrections = {}};
    }
    if (o.what != fate::done && w.awaited && alone) stopped.push_back(w.changes->table_name());
  }
  commit(done);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    write& w = writes[i];
    outcome& o = outcomes[i];
    switch (o.what) {
      case fate::done:
        forward({&w, 1});
        break;
      case fate::dropped:
        queue_.done({&w, 1});
        break;
      case fate::refused:
        refuse(w, o.error);
        break;
      case fate::corrected:
        correct(w, std::move(o.corrections));
        break;
    }
  }
}

void mysql_lane::commit(std::span<const statement_changes* const> statements) {
  absl::flat_hash_map<std::string_view, const statement_changes*> last;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const bool goes_on = i + 1 < statements.size() && statements[i + 1]->table_name() == statements[i]->table_name();
    if (!goes_on) last.insert_or_assign(statements[i]->table_name(), statements[i]);
  }
  for (const auto& [table, s] : last) {
    if (s->drops_table()) {
      positions_->erase(table);
    } else {
      positions_->store(table, s->next_id(), s->sequence());
    }
  }
  committing_ = true;
  connection_->run("COMMIT");
  committing_ = false;
  for (const auto& [table, s] : last)
    arrived_.insert_or_assign(std::string(table), s->drops_table() ? 0 : s->sequence());
  transactions_.fetch_add(1, std::memory_order_relaxed);
  statements_.fetch_add(statements.size(), std::memory_order_relaxed);
}

std::vector<mysql_lane::correction> mysql_lane::write_statements(const write& w) {
  std::vector<correction> corrections;
  for (const auto& s : w.statements()) {
    if (s->drops_table()) continue;  // its rows went with it
    if (auto rows = writer_->write(*s, delivering_)) corrections.push_back({.written = s, .rows = std::move(*rows)});
    for (const change& c : s->changes()) {
      if (!is_about_rows(c.kind)) store_setting(*s, c);
    }
  }
  return corrections;
}

void mysql_lane::write_schema_change(write& w) {
  made_changes made;
  bool all_made = false;
  committing_ = true;
  try {
    change_schema(w, made);
    all_made = true;
    connection_->run("START TRANSACTION");
    auto corrections = write_statements(w);
    std::vector<const statement_changes*> statements;
    for (const auto& s : w.statements()) statements.push_back(s.get());
    commit(statements);
    if (!corrections.empty()) {
      correct(w, std::move(corrections));
    } else {
      forward({&w, 1});
    }
  } catch (const mysql_error& e) {
    // Without the right to change tables everything else goes on. What is in the journal waits for the right.
    const bool may_not = !all_made && e.code() == mysql_error::command_denied && !delivering_;
    if (e.is_outage() && !may_not) throw;
    committing_ = false;
    connection_->run("ROLLBACK");
    // Nobody is there any more to try it again: what has been made so far is found there when it is written later.
    if (e.is_transient() && !w.awaited) throw mysql_error(connection_lost, "HY000", e.what());
    undo_schema(made);
    catalog_.forget();  // what was not taken back need not be as the change would have made it
    refuse(w, to_error(e));
  }
}

void mysql_lane::change_schema(const write& w, made_changes& made) {
  for (const auto& s : w.statements()) {
    for (const change& c : s->changes()) {
      if (c.kind == change_kind::add_binding) positions_->make_bindings();
      if (c.kind == change_kind::add_subscription) positions_->make_subscriptions();
      if (c.kind == change_kind::set_history && journal_ == nullptr) positions_->make_histories();
      if (!is_about_schema(c.kind)) continue;
      // What was put off may have been made in part before the connection broke, or the server ended.
      if (writer_->change_schema(s->table_name(), c, delivering_ || redelivering_)) made.emplace_back(s.get(), &c);
    }
  }
}

void mysql_lane::undo_schema(const made_changes& made) {
  for (auto it = made.rbegin(); it != made.rend(); ++it) {
    const auto& [s, c] = *it;
    try {
      writer_->undo_schema_change(s->table_name(), *c);
    } catch (const mysql_error& e) {
      if (e.is_outage() && e.code() != mysql_error::command_denied) throw;
      spdlog::warn("MySQL keeps a part of a statement on table {} that it refused: {}", s->table_name(), e.what());
    }
  }
}

// What becomes of writes

void mysql_lane::forward(std::span<write> writes) {
  if (delivering_) return;
  queue_.done(writes);
  if (journal_ == nullptr) {
    for (const write& w : writes) {
      if (w.awaited) results_->add({.origin = w.origin});
    }
    return;
  }
  std::vector<write> on(std::make_move_iterator(writes.begin()), std::make_move_iterator(writes.end()));
  journal_->submit(on);
}

void mysql_lane::put_off(std::span<write> all) {
  const bool doubtful = std::exchange(committing_, false);
  std::vector<write> writes;
  for (write& w : all) {
    const auto wants_key = std::ranges::find_if(w.statements(), [](const auto& s) { return !s->wanted_key().empty(); });
    if (gives_tables(w)) {
      keep(writes, doubtful);  // they go with the tables, or come first in the journal
      give(*w.handovers.front());
      queue_.done({&w, 1});
      continue;
    }
    static_cast<void>(take_over(w));
    if (is_void(w)) {
      queue_.done({&w, 1});
    } else if (journal_ != nullptr && w.awaited && !w.in_mysql && !doubtful && wants_key != w.statements().end()) {
      // Without its key the row could not be found again in MySQL, and so not be changed until it is there.
      store_error why = outage_;
      why.message = "MySQL is not available, and only it can give the key " + (*wants_key)->wanted_key() +
                    "; give it a value in the statement, or try again later";
      refuse(w, why);
    } else {
      writes.push_back(std::move(w));
    }
  }
  keep(writes, doubtful);
}

/// Until MySQL is back; leaves the vector empty.
void mysql_lane::keep(std::vector<write>& writes, bool doubtful) {
  std::vector<write> kept = std::exchange(writes, {});
  if (kept.empty()) return;
  if (journal_ != nullptr) {
    // What came back from MySQL goes there, too: numbers in the journal have no gap.
    for (write& w : kept) w.journal = true;
    return forward(kept);
  }
  for (write& w : kept) {
    if (w.in_mysql) {
      forward({&w, 1});
    } else if (!w.awaited) {
      postponed_.push_back(std::move(w));
    } else {
      if (doubtful) doubtful_.push_back(w);
      refuse(w, outage_);
    }
  }
}

void mysql_lane::refuse(write& w, const store_error& why) {
  if (w.awaited) {
    if (w.group == nullptr) void_epochs_.insert_or_assign(std::string(w.changes->table_name()), w.epoch);
    results_->add({.origin = w.origin, .what = write_result::fate::refused, .error = why});
  } else {
    refused_.fetch_add(1, std::memory_order_relaxed);
    const std::string text =
        "table " + table_names({w.statements().begin(), w.statements().end()}) + ": " + why.message;
    set_error(last_refusal_, text);
    spdlog::error("MySQL refuses a change that has been acknowledged, and differs from memory now; {} (error {})", text,
                  why.code);
    if (delivering_) set_aside_.emplace_back(w.origin.ticket, why);
  }
  if (delivering_) return;
  queue_.done({&w, 1});
}

void mysql_lane::correct(write& w, std::vector<correction> corrections) {
  if (!w.awaited || w.group != nullptr) {
    const bool awaited = w.awaited;
    forward({&w, 1});
    if (awaited && results_ != nullptr) results_->hand_over();
    // Before start() tables are loaded from MySQL after this anyway.
    if (!on_correction_) return;
    for (const correction& c : corrections) on_correction_(c.written, c.rows);
    return;
  }
  void_epochs_.insert_or_assign(std::string(w.changes->table_name()), w.epoch);
  results_->add({.origin = w.origin,
                 .what = write_result::fate::corrected,
                 .error = {},
                 .rows = std::move(corrections.front().rows)});
  queue_.done({&w, 1});
}

// Reports

void mysql_lane::set_error(std::string& target, const std::string& text) {
  const std::scoped_lock lock(error_mutex_);
  target = text;
}

mysql_lane::status mysql_lane::current() const {
  status s;
  s.online = is_online();
  s.waiting_changes = queue_.size();
  s.lag = queue_.oldest_age();
  if (!s.online) {
    const clock::time_point since{clock::duration(offline_since_.load())};
    s.lag = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - since);
  }
  s.transactions = transactions_;
  s.statements = statements_;
  s.outages = outages_;
  s.refused = refused_;
  const std::scoped_lock lock(error_mutex_);
  s.blocked = blocked_text_;
  s.last_error = last_error_;
  s.last_refusal = last_refusal_;
  return s;
}

}  // namespace pubsubsql::storage::durable
