#include "storage/durable/mysql_copy.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <spdlog/spdlog.h>

#include "storage/durable/mysql_writer.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Rows of one transaction.
constexpr std::size_t rows_per_transaction = 10'000;

/// The index that memory has, on a column which MySQL has without. It is for speed and for others: what MySQL does not
/// allow, or the login may not do, is left.
void add_missing_index(mysql_connection& c, const mysql_table& theirs, column_index column, index_kind kind) {
  try {
    c.run(add_index_sql(c, theirs, column, kind));
  } catch (const mysql_error& e) {
    if (e.is_outage() && e.code() != mysql_error::command_denied) throw;
    spdlog::warn("table {}: column {} stays without an index in MySQL: {}", theirs.name,
                 theirs.columns[column - 1].name, e.what());
  }
}

/// The same for one with a name.
void add_missing_index(mysql_connection& c, const mysql_table& theirs, const index_description& index) {
  try {
    c.run(add_index_sql(c, theirs, index));
  } catch (const mysql_error& e) {
    if (e.is_outage() && e.code() != mysql_error::command_denied) throw;
    spdlog::warn("table {}: there is no index {} in MySQL: {}", theirs.name, index.name, e.what());
  }
}

/// Whether MySQL has such an index. One over a single column it has no name of, but what the column is because of it.
bool has_index(const mysql_table& theirs, const table& ours, const index_description& index) {
  const auto has_name = [&](const index_description& i) { return i.name == index.name; };
  if (std::ranges::any_of(theirs.indexes, has_name)) return true;
  if (index.columns.size() != 1) return false;
  const auto column = theirs.find(ours.column_name(index.columns.front()));
  if (!column) return false;
  const index_kind kind = *column == id_column ? index_kind::key : theirs.columns[*column - 1].index;
  return index.type == parser::index_type::plain ? kind != index_kind::none : kind == index_kind::key;
}

void add_column(mysql_writer& writer, const table& t, column_index column) {
  const change_kind make = t.is_dropped(column) ? change_kind::drop_column : change_kind::add_column;
  writer.change_schema(t.name(), {.kind = make, .column = column, .name = t.column_name(column)});
  const index_kind kind = t.is_dropped(column) ? index_kind::none : t.index_of(column);
  if (kind == index_kind::none) return;
  const change_kind add = kind == index_kind::key ? change_kind::add_key : change_kind::add_tag;
  writer.change_schema(t.name(), {.kind = add, .column = column, .name = t.column_name(column)});
}

/// Columns and indexes of a table that was not declared.
void add_columns(mysql_connection& c, mysql_catalog& catalog, const table& t, const table_description& d) {
  mysql_writer writer(c, catalog);
  for (column_index column = 1; column < t.column_count(); ++column) add_column(writer, t, column);
  for (const index_description& index : d.indexes) add_missing_index(c, catalog.get(c, t.name()), index);
  if (!d.indexes.empty()) catalog.reread(t.name());
}

/// What made it fail is to be told, not what this does.
void drop_half_made(mysql_connection& c, mysql_catalog& catalog, mysql_positions& positions, std::string_view table) {
  try {
    c.run("ROLLBACK");
    c.run("DROP TABLE " + quoted_name(table));
    catalog.erase(table);
    positions.erase(table);
    c.run("COMMIT");
  } catch (const mysql_error& e) {
    spdlog::warn("table {}: what was made of it in MySQL stays there: {}", table, e.what());
  }
}

void fill(mysql_connection& c, mysql_catalog& catalog, const table& t) {
  mysql_writer writer(c, catalog);
  std::vector<column_index> all;
  for (column_index column = 1; column < t.column_count(); ++column) {
    if (!t.is_dropped(column)) all.push_back(column);
  }
  std::vector<row_number> rows;
  t.find_all(rows);
  std::vector<change> inserts;
  for (std::size_t at = 0; at < rows.size(); at += rows_per_transaction) {
    inserts.clear();
    for (std::size_t i = at; i < std::min(rows.size(), at + rows_per_transaction); ++i) {
      change& insert = inserts.emplace_back();
      insert.kind = change_kind::insert_row;
      insert.after = t.get(rows[i]);
      insert.assigned = all;
    }
    c.run("START TRANSACTION");
    // A table of ours folds, and stores what it is given.
    static_cast<void>(writer.write_folded(t.name(), inserts));
    c.run("COMMIT");
  }
}

}  // namespace

std::vector<catalog_column> column_names(const table& t) {
  std::vector<catalog_column> names;
  for (column_index column = 1; column < t.column_count(); ++column) {
    const bool dropped = t.is_dropped(column);
    names.push_back({.name = dropped ? "" : std::string(t.column_name(column)), .dropped = dropped});
  }
  return names;
}

std::vector<catalog_column> joined_columns(const table& ours, const mysql_table& theirs) {
  std::vector<catalog_column> names = column_names(ours);
  for (const mysql_column& c : theirs.columns) {
    if (!ours.find_column(c.name)) names.push_back({.name = c.name});
  }
  return names;
}

void add_missing_columns(mysql_connection& c, mysql_catalog& catalog, const table& t) {
  std::optional<mysql_table> theirs = read_table(c, t.name());
  for (column_index column = 1; theirs && column < t.column_count(); ++column) {
    if (t.is_dropped(column)) continue;
    const std::string_view name = t.column_name(column);
    if (!theirs->find(name)) {
      const column_facts* facts = t.is_declared() ? t.facts_of(column) : nullptr;
      c.run(add_column_sql(c, *theirs, name, facts));
      theirs->columns.push_back(new_mysql_column(name));
      if (facts != nullptr) theirs->columns.back().facts = *facts;
    }
    const column_index there = *theirs->find(name);
    const index_kind kind = t.index_of(column);
    if (kind == index_kind::none || there == id_column || theirs->columns[there - 1].index != index_kind::none)
      continue;
    add_missing_index(c, *theirs, there, kind);
  }
  c.run("ROLLBACK");
  catalog.erase(t.name());
  catalog.set_columns(t.name(), column_names(t));
  if (!theirs) return;
  for (const auto& index : t.ordered_indexes()) {
    if (has_index(*theirs, t, index->description())) continue;
    add_missing_index(c, catalog.get(c, t.name()), index->description());
    c.run("ROLLBACK");
    catalog.reread(t.name());
  }
}

void create_in_mysql(mysql_connection& c, mysql_catalog& catalog, mysql_positions& positions, const table& t) {
  const table_description d = t.description();
  static_cast<void>(
      mysql_writer(c, catalog)
          .change_schema(t.name(),
                         {.kind = change_kind::create_table, .name = t.name(), .declared = d.declared ? &d : nullptr}));
  // It is ours from now on, with nothing of it there: who finds it half made goes on.
  positions.store(t.name(), t.next_id(), 0);
  positions.claim(t.name());
  c.run("COMMIT");
  try {
    if (!d.declared) add_columns(c, catalog, t, d);
    positions.make_tables_for(d);
    fill(c, catalog, t);
  } catch (const mysql_error& e) {
    if (!e.is_outage()) drop_half_made(c, catalog, positions, t.name());
    throw;
  }
  positions.store(t.name(), t.next_id(), t.sequence());
  positions.store_ack(t.name(), t.ack());
  positions.store_settings(d);
  c.run("COMMIT");
}

bool drop_former(mysql_connection& c, mysql_positions& positions, std::string_view table) {
  try {
    c.run("DROP TABLE IF EXISTS " + quoted_name(table));
  } catch (const mysql_error& e) {
    if (e.is_outage() && e.code() != mysql_error::command_denied) throw;
    c.run("ROLLBACK");
    spdlog::warn("table {}: it was dropped, and made anew, without MySQL; the former one is made equal to it there: {}",
                 table, e.what());
    return false;
  }
  positions.erase(table);
  c.run("COMMIT");
  spdlog::warn("table {}: it was dropped, and made anew, without MySQL; the former one is dropped in MySQL, too",
               table);
  return true;
}

}  // namespace pubsubsql::storage::durable
