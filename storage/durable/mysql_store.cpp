#include "storage/durable/mysql_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <unordered_set>
#include <utility>

#include <spdlog/spdlog.h>

#include "storage/durable/history_coding.hpp"
#include "storage/durable/mysql_copy.hpp"
#include "storage/durable/queue_comment.hpp"
#include "storage/durable/table_comparison.hpp"
#include "storage/durable/table_handover.hpp"

namespace pubsubsql::storage::durable {

namespace {

constexpr std::size_t rows_per_progress_report = 1'000'000;

std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::unordered_set<std::uint64_t> read_fronts(mysql_connection& c, const mysql_table& t) {
  std::unordered_set<std::uint64_t> fronts;
  const std::array<mysql_parameter, 1> which = {std::string_view(t.name)};
  for (const auto& row : c.query("SELECT id FROM pubsubsql_fronts WHERE table_name = ?", which)) {
    if (row.front()) fronts.insert(to_number(*row.front()));
  }
  return fronts;
}

mysql_table require_table(mysql_connection& c, std::string_view name) {
  auto found = read_table(c, name);
  if (!found)
    throw mysql_error(0, "HY000", "table " + std::string(name) + " has just been dropped in MySQL; try again");
  return std::move(*found);
}

bool has_all_columns(const table& t, const mysql_table& theirs) {
  return std::ranges::all_of(theirs.columns, [&](const mysql_column& c) { return t.find_column(c.name).has_value(); });
}

/// What makes a table a queue, as its comment says; nothing: it is none.
std::optional<queue_settings> queue_of(mysql_connection& c, const table_description& d) {
  if (!d.declared) return std::nullopt;
  const std::array<mysql_parameter, 1> which = {std::string_view(d.name)};
  const auto rows = c.query(
      "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?", which);
  return rows.empty() ? std::nullopt : read_queue_comment(rows.front()[0].value_or(""), d);
}

/// What was saved of a table's changes, and whether they have led to the rows that come.
class saved_history {
 public:
  saved_history(mysql_positions::history h, const table_description& d)
      : saved_(std::move(h)), changes_(saved_.changes) {
    if (saved_.changes.empty()) return;
    const history_head head = take_head(changes_);
    const auto has_name = [](const std::string& name, const table_description::column& c) { return name == c.name; };
    is_its_ = changes_.good() && head.sequence == d.sequence && std::ranges::equal(head.columns, d.columns, has_name);
    begins_after_ = head.begins_after;
    rows_ = head.rows;
  }
  saved_history(const saved_history&) = delete;
  saved_history& operator=(const saved_history&) = delete;

  [[nodiscard]] const std::optional<parser::history_setting>& setting() const { return saved_.setting; }
  void on_row(row_position position, std::span<const value> values) {
    if (is_its_) found_.add(position, values);
  }
  /// All rows have come.
  void load(const table_description& d, table_loader& to) {
    if (!is_its_ || found_ != rows_) return to.on_lost_change(d.sequence + 1);  // its numbers go on behind that
    to.on_changes_after(begins_after_);
    std::vector<column_index> assigned;
    while (!changes_.at_end()) {
      const past_change c = take_change(changes_, d.columns.size() + 1, assigned);
      if (!changes_.good()) {
        spdlog::error("table {}: what pubsubsql_histories has of it is damaged", d.name);
        return to.on_lost_change(d.sequence + 1);
      }
      to.on_change(c);
    }
  }

 private:
  mysql_positions::history saved_;
  byte_reader changes_;
  bool is_its_ = false;
  std::uint64_t begins_after_ = 0;
  row_sum rows_;   // when it was saved
  row_sum found_;  // now
};

}  // namespace

table_description describe(mysql_positions& positions, const mysql_table& t) {
  table_description d = t.description();
  const auto p = positions.read(t.name).value_or(mysql_positions::position{});
  d.next_id = std::max(t.next_id, p.next_id);
  d.sequence = p.sequence;
  d.ack = p.ack;
  d.bindings = positions.bindings(t.name);
  d.subscriptions = positions.subscriptions(t.name);
  // From now on the table counts as mirrored.
  positions.store(t.name, d.next_id, d.sequence);
  positions.claim(t.name);
  return d;
}

void read_rows(mysql_connection& c, const mysql_table& t,
               const std::function<void(row_position position, std::span<const value> values)>& on_row) {
  std::unordered_set<std::uint64_t> fronts;
  if (t.own_id) fronts = read_fronts(c, t);
  std::vector<value> values(t.columns.size() + 1);
  std::vector<std::string> made(t.columns.size() + 1);
  std::uint64_t next = 0;
  const std::size_t first = t.own_id ? 1 : 0;
  c.stream("SELECT " + select_list(t) + " FROM " + quoted_name(t.name) + order_by_address(t),
           [&](std::span<const value> row) {
             const std::uint64_t id = t.own_id ? to_number(row.front().value_or("")) : next++;
             for (std::size_t i = 0; i < t.columns.size(); ++i) {
               values[i + 1] = from_mysql(t.columns[i].form, row[first + i], made[i + 1]);
             }
             on_row(fronts.contains(id) ? front_position(id) : back_position(id), values);
           });
}

mysql_store::mysql_store(settings s, sqlite_store* journal)
    : settings_(std::move(s)), lane_numbers_(settings_.lanes), journal_(journal) {
  for (unsigned i = 0; i < settings_.lanes; ++i) {
    lanes_.push_back(std::make_unique<mysql_lane>(settings_.lane, i, lane_numbers_, unverified_, journal_));
  }
}

mysql_store::~mysql_store() {
  stop();
}

mysql_lane& mysql_store::lane_of(std::string_view table) {
  return *lanes_[lane_numbers_.lane_of(table)];
}

void mysql_store::connect() {
  join_tied_tables();
  prepare();
  for (const auto& lane : lanes_) lane->connect();
}

void mysql_store::take_also(const std::string& table) {
  if (!settings_.tables.empty()) settings_.tables.push_back(table);
}

void mysql_store::set_columns(const table_description& d) {
  told_columns_.emplace_back(d.name, catalog_columns(d));
}

std::vector<mysql_table> mysql_store::tables() {
  mysql_connection& c = lanes_.front()->connection();
  std::vector<mysql_table> all = read_tables(c, settings_.tables);
  c.run("COMMIT");
  return all;
}

void mysql_store::load(table_loader& to, const std::function<bool(std::string_view table)>& wanted) {
  mysql_connection& c = lanes_.front()->connection();
  for (mysql_table& t : tables()) {
    if (wanted && !wanted(t.name)) continue;
    load_table(c, t, to);
    lane_of(t.name).catalog().put(std::move(t));
  }
  c.run("COMMIT");
}

mysql_store::lead mysql_store::who_leads(std::string_view table, std::uint64_t sequence) {
  mysql_connection& c = lanes_.front()->connection();
  const mysql_positions positions(c, origin());
  const auto position = positions.read(table);
  if (position && positions.is_ours(*position)) return sequence > position->sequence ? lead::memory : lead::mysql;
  return has_rows(table) ? lead::unknown : lead::memory;
}

bool mysql_store::has_rows(std::string_view table) {
  return !lanes_.front()->connection().query("SELECT 1 FROM " + quoted_name(table) + " LIMIT 1").empty();
}

bool mysql_store::has_table(std::string_view table) {
  mysql_connection& c = lanes_.front()->connection();
  c.run("ROLLBACK");
  const bool found = read_table(c, table).has_value();
  c.run("ROLLBACK");
  return found;
}

bool mysql_store::has_former(const table& t) {
  // Where the journal waits for a right, it has yet to drop the table.
  if (lane_of(t.name()).is_blocked(t.name())) return false;
  return mysql_positions(lanes_.front()->connection(), origin()).has_former(t.name(), t.made_at());
}

std::uint64_t mysql_store::arrived(std::string_view table) {
  const auto position = mysql_positions(lanes_.front()->connection(), origin()).read(table);
  return position ? position->sequence : 0;
}

bool mysql_store::is_same(const table& t) {
  mysql_connection& c = lanes_.front()->connection();
  const auto there = read_table(c, t.name());
  const std::vector<catalog_column> ours = column_names(t);
  const auto has = [&](const catalog_column& of) { return of.dropped || there->find(of.name).has_value(); };
  if (!there || !std::ranges::all_of(ours, has) || (!there->own_id && there->address.empty())) return false;
  mysql_catalog catalog;
  catalog.set_columns(t.name(), joined_columns(t, *there));
  mysql_table& theirs = catalog.get(c, t.name());
  if (std::ranges::any_of(theirs.address, [&](column_index column) { return column > ours.size(); })) return false;
  theirs.columns.resize(ours.size());
  const table_differences d = compare(c, theirs, t);
  c.run("COMMIT");
  return d.size() == 0;
}

table_description mysql_store::describe(const mysql_table& t) {
  lane_of(t.name).catalog().put(t);
  const mysql_positions positions(lanes_.front()->connection(), origin());
  const auto p = positions.read(t.name).value_or(mysql_positions::position{});
  table_description d = t.description();
  d.next_id = std::max(t.next_id, p.next_id);
  d.sequence = positions.is_ours(p) ? p.sequence : 0;
  d.ack = p.ack;
  d.bindings = positions.bindings(t.name);
  d.subscriptions = positions.subscriptions(t.name);
  d.queue = queue_of(lanes_.front()->connection(), d);
  return d;
}

void mysql_store::claim(std::string_view table, std::uint64_t next_id, std::uint64_t sequence) {
  lane_of(table).claim(table, next_id, sequence);
}

void mysql_store::read(const mysql_table& t,
                       const std::function<void(row_position position, std::span<const value> values)>& on_row) {
  mysql_connection& c = lanes_.front()->connection();
  read_rows(c, t, on_row);
  c.run("COMMIT");
}

mysql_store::comparison mysql_store::compare_with(const table& t, bool rows) {
  mysql_connection& c = lanes_.front()->connection();
  mysql_catalog catalog;
  add_missing_columns(c, catalog, t);
  const std::vector<catalog_column> columns = joined_columns(t, require_table(c, t.name()));
  catalog.set_columns(t.name(), columns);
  lane_of(t.name()).catalog().set_columns(t.name(), columns);
  const mysql_table& theirs = catalog.get(c, t.name());
  comparison found{.description = theirs.description(), .differences = {}};
  if (rows) found.differences = compare(c, theirs, t);
  const auto p = mysql_positions(c, origin()).read(t.name()).value_or(mysql_positions::position{});
  found.description.next_id = std::max(theirs.next_id, p.next_id);
  c.run("COMMIT");
  return found;
}

bool mysql_store::overwrite(const table& t, bool may_be_former) {
  mysql_connection& c = lanes_.front()->connection();
  mysql_catalog catalog;
  bool as_given = true;
  mysql_positions positions(c, origin());
  auto there = read_table(c, t.name());
  if (there && may_be_former && has_former(t) && drop_former(c, positions, t.name())) there.reset();
  if (!there) {
    create_in_mysql(c, catalog, positions, t);
    spdlog::info("table {}: made in MySQL with {} rows", t.name(), t.row_count());
  } else {
    const auto position = positions.read(t.name());
    if (!position || !positions.is_ours(*position) || position->sequence >= t.sequence()) {
      // It is ours from now on, with nothing of memory's there: who finds it half done goes on.
      positions.store(t.name(), t.next_id(), 0);
      positions.claim(t.name());
      c.run("COMMIT");
    }
    add_missing_columns(c, catalog, t);
    const mysql_table& theirs = catalog.get(c, t.name());
    if (!theirs.read_only_reason.empty()) {
      throw mysql_error(mysql_error::read_only_table, "HY000",
                        "table " + std::string(t.name()) + " cannot be written: " + theirs.read_only_reason);
    }
    const table_differences d = compare(c, theirs, t);
    c.run("ROLLBACK");
    const table_description described = t.description();
    positions.make_tables_for(described);
    as_given = write_differences(c, catalog, t, d) && has_all_columns(t, *there);
    positions.store(t.name(), t.next_id(), t.sequence());
    positions.store_settings(described);
    spdlog::warn("table {}: MySQL had not got all its changes; {} rows corrected there", t.name(), d.size());
  }
  c.run("COMMIT");
  lane_of(t.name()).catalog().set_columns(t.name(), column_names(t));
  return as_given;
}

void mysql_store::load_table(mysql_connection& c, const mysql_table& t, table_loader& to) {
  const auto check = [&](const std::optional<std::string>& problem) {
    if (problem) throw mysql_error(0, "HY000", "table " + t.name + ": " + *problem);
  };
  mysql_positions positions(c, origin());
  table_description d = durable::describe(positions, t);
  d.queue = queue_of(c, d);
  // With a data directory it is there.
  saved_history saved(journal_ == nullptr ? positions.read_history(t.name) : mysql_positions::history(), d);
  if (!d.history) d.history = saved.setting();
  check(to.on_table(d));
  const auto began = std::chrono::steady_clock::now();
  std::size_t rows = 0;
  read_rows(c, t, [&](row_position position, std::span<const value> values) {
    check(to.on_row(position, values));
    saved.on_row(position, values);
    if (++rows % rows_per_progress_report == 0) spdlog::info("table {}: {} rows loaded so far", t.name, rows);
  });
  if (journal_ == nullptr && d.history) saved.load(d, to);
  const auto took = std::chrono::steady_clock::now() - began;
  spdlog::info("table {}: {} rows loaded from MySQL in {} ms{}{}", t.name, rows,
               std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
               t.read_only_reason.empty() ? "" : "; it can only be read: ", t.read_only_reason);
}

std::size_t mysql_store::save_histories(std::span<const table* const> tables) {
  mysql_connection c = connect_another();
  mysql_positions positions(c, origin());
  positions.make_histories();
  std::size_t saved = 0;
  for (const table* const t : tables) {
    c.run("START TRANSACTION");
    if (positions.store_history(*t)) {
      positions.store(t->name(), t->next_id(), t->sequence());
      ++saved;
    }
    c.run("COMMIT");
  }
  return saved;
}

void mysql_store::start(const result_handler& on_results, const correction_handler& on_correction) {
  prepare();
  for (const auto& lane : lanes_) lane->start(on_results, on_correction);
}

void mysql_store::submit(std::vector<write>& writes) {
  if (writes.empty()) return;
  const auto is_like_first = [&](const write& w) {
    return w.group == nullptr && w.changes->table_name() == writes.front().changes->table_name();
  };
  // Most turns change one table.
  if (writes.front().group == nullptr && std::ranges::all_of(writes, is_like_first)) {
    return lane_of(writes.front().changes->table_name()).submit(writes);
  }
  std::vector<std::vector<write>> by_lane(lanes_.size());
  const auto hand_over = [&] {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!by_lane[i].empty()) lanes_[i]->submit(by_lane[i]);
    }
  };
  for (write& w : writes) {
    if (w.group != nullptr) {
      hand_over();
      submit_group(std::move(w));
    } else {
      by_lane[lane_numbers_.lane_of(w.changes->table_name())].push_back(std::move(w));
    }
  }
  writes.clear();
  hand_over();
}

/// Every lane gets its part before another transaction moves tables: so of two lanes that wait for each other the one
/// with the earlier transaction never waits for the later one.
void mysql_store::submit_group(write&& w) {
  const std::scoped_lock lock(moves_mutex_);
  const std::vector<std::string_view> tables = tables_of(*w.group);
  for (table_lanes::move& m : lane_numbers_.join(tables)) {
    const auto handover = std::make_shared<table_handover>(std::move(m.tables));
    std::vector<write> giving(1);
    giving.front().group = std::make_shared<const change_group>();
    giving.front().awaited = false;
    giving.front().handovers.push_back(handover);
    lanes_[m.from]->submit(giving);
    w.handovers.push_back(handover);
  }
  mysql_lane& lane = lane_of(tables.front());
  std::vector<write> taking;
  taking.push_back(std::move(w));
  lane.submit(taking);
}

/// A row has to be in MySQL before those that refer to it: one lane keeps that order.
void mysql_store::join_tied_tables() {
  if (settings_.lanes == 1) return;
  mysql_connection c = connect_another();
  for (const auto& [table, referenced] : read_foreign_keys(c)) {
    const std::string_view names[] = {referenced, table};
    static_cast<void>(lane_numbers_.join(names));
  }
}

/// What has to be known before the lanes begin: what goes over which, and what it is called.
void mysql_store::prepare() {
  if (std::exchange(prepared_, true)) return;
  if (journal_ != nullptr) {
    std::vector<std::vector<std::string>> groups;
    journal_->run_in_transaction([&](sqlite_files& files) { groups = files.journalled_groups(); });
    for (const std::vector<std::string>& tables : groups) {
      const std::vector<std::string_view> names(tables.begin(), tables.end());
      static_cast<void>(lane_numbers_.join(names));
    }
  }
  for (auto& [table, columns] : told_columns_) lane_of(table).tell_columns(table, std::move(columns));
  told_columns_.clear();
}

std::size_t mysql_store::queued_bytes() const {
  std::size_t bytes = journal_ != nullptr ? journal_->queued_bytes() : 0;
  for (const auto& lane : lanes_) bytes += lane->queued_bytes();
  return bytes;
}

void mysql_store::stop() {
  for (const auto& lane : lanes_) lane->stop();
}

mysql_lane::status mysql_store::current() const {
  mysql_lane::status all{.online = true};
  for (const auto& lane : lanes_) {
    const mysql_lane::status s = lane->current();
    all.online = all.online && s.online;
    all.waiting_changes += s.waiting_changes;
    all.lag = std::max(all.lag, s.lag);
    all.transactions += s.transactions;
    all.statements += s.statements;
    all.outages += s.outages;
    all.refused += s.refused;
    if (!s.last_error.empty() && (all.last_error.empty() || !s.online)) all.last_error = s.last_error;
    if (!s.last_refusal.empty()) all.last_refusal = s.last_refusal;
    if (!s.blocked.empty()) all.blocked += (all.blocked.empty() ? "" : "; ") + s.blocked;
  }
  return all;
}

}  // namespace pubsubsql::storage::durable
