#include "storage/durable/mysql_copy.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <spdlog/spdlog.h>

#include "storage/durable/mysql_writer.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// MySQL's word for a right that a login has not got.
constexpr int command_denied = 1142;

/// Rows of one transaction.
constexpr std::size_t rows_per_transaction = 10'000;

/// The index that memory has, on a column which MySQL has without. It is for speed and for others: what MySQL does not
/// allow, or the login may not do, is left.
void add_missing_index(mysql_connection& c, const mysql_table& theirs, column_index column, index_kind kind) {
  try {
    c.run(add_index_sql(c, theirs, column, kind));
  } catch (const mysql_error& e) {
    if (e.is_outage() && e.code() != command_denied) throw;
    spdlog::warn("table {}: column {} stays without an index in MySQL: {}", theirs.name,
                 theirs.columns[column - 1].name, e.what());
  }
}

void add_column(mysql_writer& writer, const table& t, column_index column) {
  writer.change_schema(t.name(), {.kind = change_kind::add_column, .column = column, .name = t.column_name(column)});
  const index_kind kind = t.index_of(column);
  if (kind == index_kind::none) return;
  const change_kind add = kind == index_kind::key ? change_kind::add_key : change_kind::add_tag;
  writer.change_schema(t.name(), {.kind = add, .column = column, .name = t.column_name(column)});
}

}  // namespace

std::vector<std::string> column_names(const table& t) {
  std::vector<std::string> names;
  for (column_index column = 1; column < t.column_count(); ++column) names.emplace_back(t.column_name(column));
  return names;
}

std::vector<std::string> joined_columns(const table& ours, const mysql_table& theirs) {
  std::vector<std::string> names = column_names(ours);
  for (const mysql_column& c : theirs.columns) {
    if (!ours.find_column(c.name)) names.push_back(c.name);
  }
  return names;
}

void add_missing_columns(mysql_connection& c, mysql_catalog& catalog, const table& t) {
  std::optional<mysql_table> theirs = read_table(c, t.name());
  for (column_index column = 1; theirs && column < t.column_count(); ++column) {
    const std::string_view name = t.column_name(column);
    if (!theirs->find(name)) {
      c.run(add_column_sql(c, t.name(), name));
      theirs->columns.push_back(new_mysql_column(name));
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
}

void create_in_mysql(mysql_connection& c, mysql_catalog& catalog, mysql_positions& positions, const table& t) {
  mysql_writer writer(c, catalog);
  writer.change_schema(t.name(), {.kind = change_kind::create_table, .name = t.name()});
  // It is ours from now on, with nothing of it there: who finds it half made goes on.
  positions.store(t.name(), t.next_id(), 0);
  positions.claim(t.name());
  c.run("COMMIT");
  std::vector<column_index> all;
  for (column_index column = 1; column < t.column_count(); ++column) {
    add_column(writer, t, column);
    all.push_back(column);
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
    static_cast<void>(writer.write_folded(t.name(), inserts));  // a table of ours folds, and stores what it is given
    c.run("COMMIT");
  }
  positions.store(t.name(), t.next_id(), t.sequence());
  positions.store_ack(t.name(), t.ack());
  c.run("COMMIT");
}

}  // namespace pubsubsql::storage::durable
