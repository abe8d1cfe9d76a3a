#include "storage/durable/mysql_catalog.hpp"

#include <algorithm>
#include <utility>

namespace pubsubsql::storage::durable {

namespace {

constexpr int no_such_table = 1146;

/// Of a column that has been dropped no name is kept: it is not to be found again.
std::vector<catalog_column> columns_of(const mysql_table& t) {
  std::vector<catalog_column> columns;
  columns.reserve(t.columns.size());
  for (const mysql_column& c : t.columns) columns.push_back({.name = c.dropped ? "" : c.name, .dropped = c.dropped});
  return columns;
}

mysql_column keeper_of_place() {
  mysql_column c;
  c.dropped = true;
  return c;
}

/// A dropped column that MySQL has still got, because it has not been told yet. One that came later under the same name
/// is another.
bool is_still_there(const mysql_table& t, const std::vector<catalog_column>& wanted, const catalog_column& dropped) {
  const auto is_other = [&](const catalog_column& c) { return !c.dropped && c.name == dropped.name; };
  return !dropped.name.empty() && t.find(dropped.name) && std::ranges::none_of(wanted, is_other);
}

/// Puts the columns in the engine's order. Columns that MySQL has not got are only allowed at the end: they are still
/// to be added. Columns that the engine does not know are left alone, as are their values.
void align(mysql_table& t, const std::vector<catalog_column>& wanted) {
  std::vector<mysql_column> aligned;
  std::vector<column_index> place(t.columns.size() + 1, id_column);
  for (const catalog_column& c : wanted) {
    if (c.dropped && !is_still_there(t, wanted, c)) {
      aligned.push_back(keeper_of_place());
      continue;
    }
    const auto at = t.find(c.name);
    if (!at) break;
    aligned.push_back(t.columns[*at - 1]);
    place[*at] = static_cast<column_index>(aligned.size());
  }
  for (column_index& column : t.address) {
    if (place[column] == id_column) {
      throw mysql_error(
          mysql_error::no_such_column, "42S22",
          "table " + t.name + " has got another primary key in MySQL; restart the server to take it over");
    }
    column = place[column];
  }
  t.columns = std::move(aligned);
}

}  // namespace

std::vector<catalog_column> catalog_columns(const table_description& d) {
  std::vector<catalog_column> columns;
  columns.reserve(d.columns.size());
  for (const table_description::column& c : d.columns) columns.push_back({.name = c.name, .dropped = c.dropped});
  return columns;
}

void mysql_catalog::set_columns(std::string_view table, std::vector<catalog_column> columns) {
  columns_.insert_or_assign(std::string(table), std::move(columns));
}

mysql_table& mysql_catalog::get(mysql_connection& c, std::string_view table) {
  if (const auto why = refusal(table)) throw mysql_error(*why);
  if (const auto it = tables_.find(table); it != tables_.end()) return it->second;
  auto read = read_table(c, table);
  if (!read) {
    throw mysql_error(
        no_such_table, "42S02",
        "there is no table " + std::string(table) +
            " in MySQL: it was dropped there, or MySQL does not take it, as the log says; drop it here, too");
  }
  if (const auto known = columns_.find(table); known != columns_.end()) align(*read, known->second);
  return tables_.emplace(std::string(table), std::move(*read)).first->second;
}

std::optional<std::vector<catalog_column>> mysql_catalog::columns_known(std::string_view table) const {
  if (const auto it = tables_.find(table); it != tables_.end()) return columns_of(it->second);
  const auto it = columns_.find(table);
  return it == columns_.end() ? std::nullopt : std::optional(it->second);
}

void mysql_catalog::restore_column(std::string_view table, column_index column, std::string_view name) {
  std::vector<catalog_column>& columns = columns_[std::string(table)];
  if (const auto it = tables_.find(table); it != tables_.end()) {
    // What was read of a table without the column ends before it.
    if (it->second.columns.size() > columns.size()) columns = columns_of(it->second);
    tables_.erase(it);
  }
  if (columns.size() < column) columns.resize(column);
  columns[column - 1] = {.name = std::string(name)};
}

void mysql_catalog::put(mysql_table t) {
  std::string name = t.name;
  tables_.insert_or_assign(std::move(name), std::move(t));
}

void mysql_catalog::refuse(std::string_view table, const mysql_error& why) {
  refused_.insert_or_assign(std::string(table), why);
}

void mysql_catalog::accept(std::string_view table) {
  if (const auto it = refused_.find(table); it != refused_.end()) refused_.erase(it);
}

std::optional<mysql_error> mysql_catalog::refusal(std::string_view table) const {
  const auto it = refused_.find(table);
  return it == refused_.end() ? std::nullopt : std::optional(it->second);
}

void mysql_catalog::erase(std::string_view table) {
  if (const auto it = tables_.find(table); it != tables_.end()) tables_.erase(it);
  if (const auto it = columns_.find(table); it != columns_.end()) columns_.erase(it);
}

void mysql_catalog::reread(std::string_view table) {
  const auto it = tables_.find(table);
  if (it == tables_.end()) return;
  columns_.insert_or_assign(it->first, columns_of(it->second));
  tables_.erase(it);
}

void mysql_catalog::forget() {
  for (const auto& [name, t] : tables_) columns_.insert_or_assign(name, columns_of(t));
  tables_.clear();
}

}  // namespace pubsubsql::storage::durable
