#include "storage/durable/mysql_copy.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "storage/durable/mysql_writer.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Rows of one transaction.
constexpr std::size_t rows_per_transaction = 10'000;

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

void add_missing_columns(mysql_connection& c, mysql_catalog& catalog, const table& t) {
  catalog.set_columns(t.name(), column_names(t));
  mysql_writer writer(c, catalog);
  const auto there = static_cast<column_index>(catalog.get(c, t.name()).columns.size());
  for (column_index column = there + 1; column < t.column_count(); ++column) add_column(writer, t, column);
}

void create_in_mysql(mysql_connection& c, mysql_catalog& catalog, mysql_positions& positions, const table& t) {
  mysql_writer writer(c, catalog);
  writer.change_schema(t.name(), {.kind = change_kind::create_table, .name = t.name()});
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
  positions.claim(t.name());
  c.run("COMMIT");
}

}  // namespace pubsubsql::storage::durable
