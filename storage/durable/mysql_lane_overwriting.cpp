// How a lane makes MySQL equal to the data directory where the two have parted.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <absl/container/flat_hash_set.h>
#include <spdlog/spdlog.h>

#include "storage/durable/mysql_copy.hpp"
#include "storage/durable/mysql_lane.hpp"
#include "storage/durable/table_comparison.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Takes one table from the data directory.
class copy_loader : public table_loader {
 public:
  std::optional<std::string> on_table(const table_description& d) override {
    copy = std::make_unique<table>(d);
    return std::nullopt;
  }
  std::optional<std::string> on_row(row_position position, std::span<const value> values) override {
    return copy->load(position, values);
  }

  std::unique_ptr<table> copy;
};

/// Of rows of a table that entries of the journal change, which MySQL has not got: beyond the change `arrived`.
absl::flat_hash_set<std::uint64_t> changed_ids(std::span<const sqlite_files::journal_entry> entries,
                                               std::string_view table, std::uint64_t arrived) {
  absl::flat_hash_set<std::uint64_t> ids;
  for (const sqlite_files::journal_entry& e : entries) {
    for (const auto& s : *e.changes) {
      if (s->table_name() != table || s->sequence() <= arrived) continue;
      for (const change& c : s->changes()) {
        if (c.before.data() != nullptr) ids.insert(c.before.id());
        if (c.after.data() != nullptr) ids.insert(c.after.id());
      }
    }
  }
  return ids;
}

}  // namespace

/// Whether MySQL is just before this change. It is not when it had got a change which the data directory has not: the
/// server ended between the two commits, and began again without MySQL. That change may have made the table, too.
bool mysql_lane::follows_what_arrived(const statement_changes& s) {
  if (s.changes().front().kind == change_kind::create_table) return arrived_sequence(s.table_name()) == 0;
  return (s.changes().front().sequence - 1 - arrived_sequence(s.table_name())) % sequence_leap == 0;
}

/// Makes a table in MySQL what the data directory says it is now, instead of delivering what the journal has of it.
/// What transactions did to it as well has arrived then, which is known by its number.
void mysql_lane::overwrite_with_copy(const std::string& name) {
  copy_loader loader;
  std::vector<sqlite_files::journal_entry> entries;
  const auto wanted = [&](std::string_view t) { return t == name; };
  journal_->run_in_transaction([&](sqlite_files& files) {
    files.load(loader, wanted);
    entries = files.read_journal(wanted, SIZE_MAX, SIZE_MAX);
  });
  std::erase_if(entries, [](const sqlite_files::journal_entry& e) { return tables_of(*e.changes).size() > 1; });
  if (loader.copy == nullptr) throw mysql_error(0, "HY000", "the data directory has no such table");
  const table& copy = *loader.copy;
  const std::size_t corrected = make_equal(copy);
  const table_description d = copy.description();
  positions_->make_tables_for(d);
  positions_->store_settings(d);
  positions_->store(name, copy.next_id(), copy.sequence());
  connection_->run("COMMIT");
  arrived_.insert_or_assign(name, copy.sequence());
  journal_->run_in_transaction([&](sqlite_files& files) { files.erase_journal(entries); });
  spdlog::warn("table {}: MySQL was not as the data directory knew it; {} rows corrected there", name, corrected);
}

/// Returns in how many rows it was not.
std::size_t mysql_lane::make_equal(const table& copy) {
  catalog_.erase(copy.name());
  bool is_there = read_table(*connection_, copy.name()).has_value();
  connection_->run("ROLLBACK");
  if (is_there && positions_->has_former(copy.name(), copy.made_at())) {
    is_there = !drop_former(*connection_, *positions_, copy.name());
  }
  if (!is_there) {
    create_in_mysql(*connection_, catalog_, *positions_, copy);
    return copy.row_count();
  }
  add_missing_columns(*connection_, catalog_, copy);
  const table_differences d = compare(*connection_, catalog_.get(*connection_, copy.name()), copy);
  connection_->run("ROLLBACK");
  static_cast<void>(write_differences(*connection_, catalog_, copy, d, on_correction_));
  return d.size();
}

/// Returns whether something is another now: MySQL's table, or which tables are blocked.
bool mysql_lane::overwrite_or_block(std::string_view name) {
  try {
    overwrite_with_copy(std::string(name));
    return true;
  } catch (const mysql_error& error) {
    const bool may_not = error.code() == mysql_error::command_denied && thread_.joinable();
    if (error.is_outage() && !may_not) throw;
    connection_->run("ROLLBACK");
    if (may_not) {
      block(name, error);
      return true;
    }
    spdlog::error("table {}: cannot be made equal in MySQL: {}", name, error.what());
    return false;
  }
}

/// Where MySQL is another than the data directory at the start, and the journal does not tell how it becomes equal, it
/// is made so.
void mysql_lane::verify_tables() {
  std::optional<both_sides> sides;
  unverified_.verify_all([&](const unverified_tables::entry& of) {
    if (!sides) sides = read_both_sides();
    const auto there = sides->in_mysql.find(of.table);
    const mysql_table* theirs = there == sides->in_mysql.end() ? nullptr : &there->second;
    if (!has_parted(of, theirs, *sides)) {
      if (theirs != nullptr) take_computed_values(*theirs);
      return;
    }
    static_cast<void>(overwrite_or_block(of.table));
    if (lanes_.lane_of(of.table) == number_) return;
    // Another lane writes it, and may give it to this one later.
    catalog_.erase(of.table);
    arrived_.erase(of.table);
  });
}

mysql_lane::both_sides mysql_lane::read_both_sides() {
  both_sides sides;
  journal_->run_in_transaction([&](sqlite_files& files) {
    sides.drops = files.journalled_drops();
    sides.journalled = files.journalled_tables();
  });
  for (mysql_table& t : read_tables(*connection_, {})) {
    std::string name = t.name;
    sides.in_mysql.emplace(std::move(name), std::move(t));
  }
  connection_->run("ROLLBACK");
  return sides;
}

/// What MySQL made of values may not have come back before the server ended. Rows that the journal is still to change
/// get theirs on delivery.
void mysql_lane::take_computed_values(const mysql_table& there) {
  if (!on_correction_ || there.declared || !there.needs_read_back() || !there.read_only_reason.empty()) return;
  const std::string& name = there.name;
  copy_loader loader;
  std::vector<sqlite_files::journal_entry> entries;
  journal_->run_in_transaction([&](sqlite_files& files) {
    files.load(loader, [&](std::string_view table) { return table == name; });
    entries = files.read_journal([](std::string_view) { return true; }, SIZE_MAX, SIZE_MAX);
  });
  if (loader.copy == nullptr) return;
  const table& copy = *loader.copy;
  mysql_catalog catalog;
  catalog.set_columns(name, column_names(copy));
  const table_differences d = compare(*connection_, catalog.get(*connection_, name), copy);
  connection_->run("ROLLBACK");
  const auto position = positions_->read(name);
  connection_->run("ROLLBACK");
  const bool is_ours = position && positions_->is_ours(*position);
  const absl::flat_hash_set<std::uint64_t> changing = changed_ids(entries, name, is_ours ? position->sequence : 0);
  std::vector<change> changes;
  corrected_rows stored;
  for (const table_differences::outside_row& row : d.different) {
    const row_view here = copy.get(row.here);
    if (changing.contains(here.id()) || row.values.size() != copy.column_count()) continue;
    changes.push_back({.kind = change_kind::update_row, .before = here, .after = here});
    stored.emplace_back(row.values.begin() + 1, row.values.end());
  }
  if (changes.empty()) return;
  spdlog::info("table {}: {} rows get what MySQL has made of them", name, changes.size());
  on_correction_(std::make_shared<const statement_changes>(copy, changes), stored);
}

/// Nothing has been written to MySQL since the start, so that a higher number there means a change which the data
/// directory has not got, and a lower one, or a table or column that is missing, what the journal has still to bring,
/// unless it has nothing of the kind. A table that was dropped meanwhile counts anew.
bool mysql_lane::has_parted(const unverified_tables::entry& of, const mysql_table* theirs, const both_sides& sides) {
  if (sides.drops.contains(of.table)) return false;
  const bool is_journalled = sides.journalled.contains(of.table);
  if (theirs == nullptr) return !is_journalled || !is_made_by_journal(of.table);
  const auto position = positions_->read(of.table);
  if (!position || !positions_->is_ours(*position)) return false;
  return position->sequence > of.sequence || positions_->has_former(of.table, of.made_at) ||
         (position->sequence < of.sequence && !is_journalled) || lacks_columns(*theirs, of.columns);
}

bool mysql_lane::is_made_by_journal(std::string_view table) {
  std::vector<sqlite_files::journal_entry> first;
  journal_->run_in_transaction([&](sqlite_files& files) {
    first = files.read_journal([&](std::string_view t) { return t == table; }, 1, SIZE_MAX);
  });
  return !first.empty() && first.front().changes->front()->changes().front().kind == change_kind::create_table;
}

/// Whether MySQL lacks columns that the journal does not add.
bool mysql_lane::lacks_columns(const mysql_table& there, std::span<const catalog_column> columns) {
  std::vector<std::string_view> missing;
  for (const catalog_column& c : columns) {
    if (!c.dropped && !there.find(c.name)) missing.push_back(c.name);
  }
  if (missing.empty()) return false;
  std::vector<sqlite_files::journal_entry> entries;
  journal_->run_in_transaction([&](sqlite_files& files) {
    entries = files.read_journal([&](std::string_view table) { return table == there.name; }, SIZE_MAX, SIZE_MAX);
  });
  for (const sqlite_files::journal_entry& e : entries) {
    for (const auto& s : *e.changes) {
      for (const change& c : s->changes()) {
        if (c.kind == change_kind::add_column) std::erase(missing, c.name);
      }
    }
  }
  return !missing.empty();
}

bool mysql_lane::overwrite_where_mysql_is_ahead(std::span<const write> writes) {
  bool overwritten = false;
  std::vector<std::string_view> seen;
  for (const write& w : writes) {
    for (const auto& s : w.statements()) {
      if (s->is_acknowledgement() || std::ranges::find(seen, s->table_name()) != seen.end()) continue;
      seen.push_back(s->table_name());
      if (s->drops_table() || follows_what_arrived(*s)) continue;
      overwritten = overwrite_or_block(s->table_name()) || overwritten;
    }
  }
  return overwritten;
}

}  // namespace pubsubsql::storage::durable
