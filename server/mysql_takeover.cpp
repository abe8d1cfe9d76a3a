#include "server/mysql_takeover.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include <spdlog/spdlog.h>

#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

using namespace storage::durable;

namespace {

/// Rows handed to a table's worker at a time.
constexpr std::size_t rows_at_a_time = 10'000;

/// An `id` of memory's own cannot become a column of MySQL's, nor the other way round.
void require_same_id(const mysql_table& theirs, const storage::table& ours) {
  const bool here = !ours.shows_id();
  if (theirs.hides_id == here || (here && !theirs.own_id)) return;
  throw mysql_error(0, "HY000",
                    "table " + theirs.name + " has a column id " +
                        (here ? "here that is not the key it is in MySQL" : "in MySQL that is not the key it is here") +
                        "; rename it there, or start the server with --mysql");
}

/// What no store is to have cannot be what MySQL has.
void require_stored(const storage::table& ours) {
  if (ours.is_stored()) return;
  throw mysql_error(0, "HY000",
                    "MySQL has a table " + std::string(ours.name()) +
                        ", which cannot be taken over: here it is a queue that is not durable, and in no store; rename "
                        "the table in MySQL, or drop the queue");
}

/// Adds every row of a table to the data directory's copy of it.
void copy_rows(sqlite_files& files, const storage::table& t) {
  std::vector<storage::row_number> rows;
  t.find_all(rows);
  std::vector<storage::value> values(t.column_count());
  for (const storage::row_number number : rows) {
    const storage::row_view row = t.get(number);
    storage::row_view::cursor columns(row);
    for (storage::column_index column = 1; column < t.column_count(); ++column) values[column] = columns.at(column);
    files.put_row(t.name(), row.position(), values);
  }
}

}  // namespace

mysql_takeover::mysql_takeover(shared_state& shared, durable_stores& stores, mirrored_tables& mirrored,
                               runner on_worker, std::unique_ptr<mysql_store> mysql)
    : shared_(shared),
      stores_(stores),
      mirrored_(mirrored),
      on_worker_(std::move(on_worker)),
      mysql_(std::move(mysql)) {}

mysql_takeover::~mysql_takeover() {
  if (done_) return;
  try {
    for (const storage::table_description& d : loaded_) {
      on_worker_(*shared_.tables.find(d.name), [&](table_runner& r) { r.tables().forget(d.name); });
    }
  } catch (const mysql_error&) {  // the server stops
  }
}

const storage::table* mysql_takeover::find(std::string_view table) const {
  const auto owner = shared_.tables.find(table);
  return owner ? shared_.workers[*owner]->statements().database().find(table) : nullptr;
}

std::vector<const storage::table*> mysql_takeover::tables_here() const {
  std::vector<const storage::table*> tables;
  for (worker* w : shared_.workers) {
    for (const storage::table_summary& t : w->statements().database().tables()) {
      const storage::table* const here = find(t.name);
      if (!t.name.starts_with(storage::own_tables) && here->is_stored()) tables.push_back(here);
    }
  }
  return tables;
}

void mysql_takeover::run() {
  look_at_all();
  for (const mysql_table& t : only_theirs_) load(t);
  for (shared_table& t : both_) {
    if (t.leads == lead::memory)
      overwrite(t);
    else
      t.becomes = mysql_->compare_with(*t.ours);
    require_possible(t);
  }
  for (const storage::table* t : only_ours_) {
    note_mirrored(*t);
    if (mysql_->overwrite(*t, true)) continue;
    // MySQL does not let a former one go: that has columns of its own.
    shared_table& made_equal = both_.emplace_back(shared_table{.theirs = {}, .ours = t, .leads = lead::memory});
    made_equal.theirs.name = t->name();
    made_equal.becomes = mysql_->compare_with(*t);
    require_possible(made_equal);
  }
  if (stores_.sqlite() != nullptr) store_in_data_directory();
  // From here on nothing is taken back: an outage of MySQL only delays what is left.
  done_ = true;
  for (const storage::table_description& d : loaded_) mysql_->claim(d.name, find(d.name)->next_id(), d.sequence);
  for (const shared_table& t : both_) {
    if (t.leads == lead::memory) continue;
    mysql_->claim(t.ours->name(), std::max(t.becomes.description.next_id, t.ours->next_id()), t.ours->sequence());
  }
  stores_.use(std::move(mysql_));
  correct_memory();
}

/// Decides what is to be done, and refuses what cannot be. Changes nothing.
void mysql_takeover::look_at_all() {
  only_ours_ = tables_here();
  for (const storage::table* t : only_ours_) mysql_->take_also(std::string(t->name()));
  for (mysql_table& theirs : mysql_->tables()) {
    const storage::table* const ours = find(theirs.name);
    if (ours == nullptr) {
      only_theirs_.push_back(std::move(theirs));
      continue;
    }
    require_stored(*ours);
    if (is_known(*ours) && !ours->description().is_only_a_name() && mysql_->has_former(*ours)) continue;
    std::erase(only_ours_, ours);
    require_same_id(theirs, *ours);
    both_.push_back({.theirs = std::move(theirs), .ours = ours, .leads = who_leads(*ours)});
  }
}

bool mysql_takeover::is_known(const storage::table& ours) const {
  const auto& names = mirrored_[mysql_->shown_address()];
  const auto noted = names.find(ours.name());
  if (noted == names.end()) return stores_.sqlite() != nullptr;
  // One that was made anew here since is another one if somebody else has written there meanwhile.
  return ours.made_at() <= noted->second || mysql_->arrived(ours.name()) <= noted->second;
}

void mysql_takeover::note_mirrored(const storage::table& ours) {
  mirrored_[mysql_->shown_address()].insert_or_assign(std::string(ours.name()), ours.sequence());
}

/// What MySQL says of how far it has got counts only for a table that is known to be the same: without a data directory
/// nothing is known of what was before this server began.
mysql_takeover::lead mysql_takeover::who_leads(const storage::table& ours) {
  if (ours.description().is_only_a_name()) return lead::mysql;
  lead who = mysql_->who_leads(ours.name(), ours.sequence());
  if (!is_known(ours)) who = mysql_->has_rows(ours.name()) ? lead::unknown : lead::memory;
  if (ours.row_count() == 0) return who == lead::memory && mysql_->has_rows(ours.name()) ? who : lead::mysql;
  if (who == lead::unknown && !mysql_->is_same(ours)) throw mysql_error(0, "HY000", two_tables(ours.name()));
  return who == lead::unknown ? lead::mysql : who;
}

void mysql_takeover::load(const mysql_table& t) {
  const auto owner = shared_.tables.find_or_place(t.name, 0);
  if (!owner) throw mysql_error(0, "HY000", "there are too many tables; raise --max-tables");
  loaded_.push_back(mysql_->describe(t));
  // One that MySQL has never numbered begins now, as a new table does.
  if (loaded_.back().sequence == 0) {
    loaded_.back().sequence = static_cast<std::uint64_t>(worker::read_clock());
  } else {
    // Others may have changed the rows meanwhile: nobody's position is that of these.
    loaded_.back().numbers_after = loaded_.back().sequence + storage::durable::sequence_leap;
  }
  storage::table* ours = nullptr;
  on_worker_(*owner, [&](table_runner& r) {
    ours = &r.tables().restore(loaded_.back());
    r.note_bindings(ours->name());
    r.note_subscriptions(ours->name());
  });
  std::vector<std::pair<storage::row_position, std::vector<std::optional<std::string>>>> rows;
  const auto hand_over = [&] {
    std::optional<std::string> problem;
    on_worker_(*owner, [&](table_runner&) {
      std::vector<storage::value> values;
      for (const auto& [position, texts] : rows) {
        values.clear();
        for (const auto& text : texts) values.push_back(text ? storage::value{*text} : storage::value{});
        if (!problem) problem = ours->load(position, values);
      }
    });
    if (problem) throw mysql_error(0, "HY000", "table " + t.name + ": " + *problem);
    rows.clear();
  };
  mysql_->read(t, [&](storage::row_position position, std::span<const storage::value> values) {
    auto& [at, texts] = rows.emplace_back();
    at = position;
    for (const storage::value& v : values) texts.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
    if (rows.size() == rows_at_a_time) hand_over();
  });
  hand_over();
}

/// What MySQL makes of the rows, and what it has in columns of its own, comes to memory.
void mysql_takeover::overwrite(shared_table& t) {
  note_mirrored(*t.ours);
  const bool is_equal = mysql_->overwrite(*t.ours, false);
  t.becomes = mysql_->compare_with(*t.ours, !is_equal);
}

void mysql_takeover::require_possible(const shared_table& t) {
  std::optional<storage::error> failed;
  on_worker_(*shared_.tables.find(t.theirs.name), [&](table_runner& r) {
    failed = r.tables().check_repair(t.theirs.name, t.becomes.differences, &t.becomes.description);
  });
  if (failed) throw mysql_error(0, "HY000", "MySQL's rows cannot be taken over: " + failed->message);
}

void mysql_takeover::store_in_data_directory() {
  stores_.sqlite()->run_in_transaction([&](sqlite_files& files) {
    for (const storage::table_description& d : loaded_) {
      files.replace_table(d);
      copy_rows(files, *find(d.name));
    }
    for (const shared_table& t : both_) files.extend_table(t.becomes.description);
  });
}

void mysql_takeover::correct_memory() {
  for (const shared_table& t : both_) {
    const std::string& name = t.theirs.name;
    const std::size_t corrected = t.becomes.differences.size();
    if (corrected > 0) spdlog::warn("table {}: {} rows differ from MySQL and are corrected in memory", name, corrected);
    on_worker_(*shared_.tables.find(name),
               [&](table_runner& r) { r.repair({}, name, t.becomes.differences, &t.becomes.description); });
  }
}

}  // namespace pubsubsql::server
