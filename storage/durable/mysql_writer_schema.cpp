// Changes of MySQL's schemas, and the way back.

#include <algorithm>
#include <array>

#include <spdlog/spdlog.h>

#include "storage/durable/mysql_writer.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// The thing to be made is there already.
constexpr std::array already_there = {1050, 1060, 1061};

/// The thing to be taken away is not there: a table, or a column or index.
constexpr std::array gone_already = {1051, 1091};

constexpr int table_exists = 1050;
constexpr int column_exists = 1060;
constexpr int requires_primary_key = 1173;

/// Throws if MySQL could not tell the rows of a table from each other any more. `gone` says of a column of an index
/// that the index goes away: a condition with one parameter.
void require_key_besides(mysql_connection& c, const mysql_table& t, const std::string& gone, std::string_view name) {
  const std::vector<mysql_parameter> parameters = {std::string_view(t.name), name};
  const std::string sql =
      "SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND "
      "NON_UNIQUE = 0 GROUP BY INDEX_NAME HAVING SUM(NULLABLE = 'YES') = 0 AND SUM(SUB_PART IS NOT NULL) = 0 AND SUM(" +
      gone + ") = 0 LIMIT 1";
  if (!c.query(sql, parameters).empty()) return;
  throw mysql_error(requires_primary_key, "42000",
                    std::string(name) + " of table " + t.name +
                        " cannot be dropped: MySQL tells rows by it; give the table another primary key, or a unique "
                        "one without NULL, first");
}

index_description described_index(const change& c) {
  return {.name = std::string(c.name), .columns = {c.assigned.begin(), c.assigned.end()}, .type = c.index};
}

/// Whether MySQL has the column as this server makes those without a type, and nothing in it. A server that ended
/// between the change of the schema and the COMMIT leaves such a column behind, of which the data directory does not
/// know.
bool is_left_behind(mysql_connection& c, std::string_view table, std::string_view name) {
  const auto there = read_table(c, table);
  const auto found = there ? there->find(name) : std::nullopt;
  if (!found || *found == id_column) return false;
  const mysql_column& column = there->columns[*found - 1];
  const bool is_as_made = column.facts.type == "longtext" && column.facts.nullable && !column.may_alter;
  if (!is_as_made || column.has_default || column.generated) return false;
  const std::string value =
      "SELECT 1 FROM " + quoted_name(table) + " WHERE " + quoted_name(name) + " IS NOT NULL LIMIT 1";
  return c.query(value).empty();
}

}  // namespace

void mysql_writer::throw_column_is_gone(const mysql_table& t) {
  throw mysql_error(
      mysql_error::no_such_column, "42S22",
      "a column of table " + t.name + " is no longer in MySQL; restart the server to take the table over as it is");
}

/// Returns false when it was there already.
bool mysql_writer::make(const std::string& sql, bool may_be_there) {
  try {
    connection_.run(sql);
    return true;
  } catch (const mysql_error& e) {
    if (may_be_there && std::ranges::find(already_there, e.code()) != already_there.end()) return false;
    if (e.code() != table_exists) throw;
    throw mysql_error(e.code(), e.sqlstate(),
                      std::string(e.what()) +
                          " in MySQL, and was not taken over when the server started or connected; name it in "
                          "--mysql-tables if you use that, and restart or connect again");
  }
}

/// What is to go need not be there: somebody may have taken it away, or it went before the connection broke. Returns
/// false then.
bool mysql_writer::take_away(const std::string& sql) {
  try {
    connection_.run(sql);
    return true;
  } catch (const mysql_error& e) {
    if (std::ranges::find(gone_already, e.code()) == gone_already.end()) throw;
    return false;
  }
}

bool mysql_writer::create_table(std::string_view table, const table_description* declared, bool may_be_there) {
  if (declared == nullptr) {
    const bool made = make(create_table_sql(connection_, table), may_be_there);
    catalog_.erase(table);
    if (made) {
      catalog_.put(new_mysql_table(table));
    } else {
      catalog_.set_columns(table, {});  // others may have made it, so how it looks has to be read
    }
    return made;
  }
  const bool made = make(create_table_sql(connection_, *declared), may_be_there);
  // From now on it is as if it had been adopted.
  catalog_.erase(table);
  catalog_.set_columns(table, catalog_columns(*declared));
  return made;
}

bool mysql_writer::add_column(std::string_view table, const change& c, bool may_be_there) {
  mysql_table& t = catalog_.get(connection_, table);
  const bool known = c.column <= t.columns.size() && t.columns[c.column - 1].name == c.name;
  if (may_be_there && known) return false;
  if (c.column != t.columns.size() + 1) throw_column_is_gone(t);
  bool made = false;
  try {
    made = make(add_column_sql(connection_, t, c.name, c.facts), may_be_there);
  } catch (const mysql_error& e) {
    if (e.code() != column_exists || c.facts != nullptr || !is_left_behind(connection_, table, c.name)) throw;
  }
  t.columns.push_back(new_mysql_column(c.name));
  if (!made || c.facts != nullptr) catalog_.reread(table);
  return made;
}

void mysql_writer::drop_column(std::string_view table, const change& c) {
  mysql_table& t = catalog_.get(connection_, table);
  if (c.column > t.columns.size() + 1) throw_column_is_gone(t);
  if (std::ranges::find(t.address, c.column) != t.address.end()) {
    require_key_besides(connection_, t, "COLUMN_NAME = ?", c.name);
  }
  take_away(drop_column_sql(table, c.name));
  if (c.column > t.columns.size()) t.columns.emplace_back();
  t.columns[c.column - 1].dropped = true;
  catalog_.reread(table);
}

bool mysql_writer::change_schema(std::string_view table, const change& c, bool may_be_there) {
  switch (c.kind) {
    case change_kind::create_table:
      return create_table(table, c.declared, may_be_there);
    case change_kind::add_column:
      return add_column(table, c, may_be_there);
    case change_kind::add_key:
    case change_kind::add_tag: {
      const index_kind kind = c.kind == change_kind::add_key ? index_kind::key : index_kind::tag;
      mysql_table& t = catalog_.get(connection_, table);
      if (c.column > t.columns.size()) throw_column_is_gone(t);
      const bool made = make(add_index_sql(connection_, t, c.column, kind), may_be_there);
      catalog_.reread(table);  // the column's type may be another
      return made;
    }
    case change_kind::add_index: {
      const index_description index = described_index(c);
      mysql_table& t = catalog_.get(connection_, table);
      const auto is_gone = [&](column_index column) { return column > t.columns.size(); };
      if (std::ranges::any_of(index.columns, is_gone)) throw_column_is_gone(t);
      const bool made = make(add_index_sql(connection_, t, index), may_be_there);
      catalog_.reread(table);
      return made;
    }
    case change_kind::drop_index: {
      const mysql_table& t = catalog_.get(connection_, table);
      const bool is_primary = c.index == parser::index_type::primary;
      if (c.index != parser::index_type::plain && std::ranges::is_permutation(c.assigned, t.address)) {
        require_key_besides(connection_, t, "INDEX_NAME = ?", is_primary ? "PRIMARY" : c.name);
      }
      const bool dropped = take_away(drop_index_sql(table, c.name, c.index));
      catalog_.reread(table);
      return dropped;
    }
    case change_kind::drop_column:
      drop_column(table, c);
      return true;  // memory may have it again: then MySQL is to have it, too, whoever dropped it
    case change_kind::drop_table: {
      const bool dropped = take_away(drop_table_sql(table));
      catalog_.erase(table);
      catalog_.accept(table);
      return dropped;
    }
    case change_kind::set_ack:
    case change_kind::set_history:
    case change_kind::add_binding:
    case change_kind::drop_binding:
    case change_kind::add_subscription:
    case change_kind::drop_subscription:
    case change_kind::acknowledge:
    case change_kind::insert_row:
    case change_kind::update_row:
    case change_kind::delete_row:
      break;
  }
  return false;
}

bool mysql_writer::is_used_by_others(std::string_view table, const change& c) {
  const auto has_row = [&](const std::string& where) {
    return !connection_.query("SELECT 1 FROM " + quoted_name(table) + where + " LIMIT 1").empty();
  };
  if (c.kind == change_kind::create_table) return has_row("");
  if (c.kind != change_kind::add_column) return false;
  const std::string column = quoted_name(c.name);
  const bool fills_rows = c.facts != nullptr && (c.facts->default_text || !c.facts->nullable);
  if (!fills_rows) return has_row(" WHERE " + column + " IS NOT NULL");
  const bool is_literal = c.facts->default_text && c.facts->extra.empty();
  return is_literal && has_row(" WHERE NOT " + column + " <=> DEFAULT(" + column + ")");
}

void mysql_writer::undo_schema_change(std::string_view table, const change& c) {
  // The catalog may have been read anew since the change: then it may not know what was made.
  switch (c.kind) {
    case change_kind::create_table:
      connection_.run(drop_table_sql(table));
      catalog_.erase(table);
      break;
    case change_kind::add_column: {
      connection_.run(drop_column_sql(table, c.name));
      auto& columns = catalog_.get(connection_, table).columns;
      if (columns.size() == c.column && columns.back().name == c.name) columns.pop_back();
      break;
    }
    case change_kind::add_key:
    case change_kind::add_tag: {
      connection_.run(drop_index_sql(table, c.name));
      catalog_.reread(table);
      break;
    }
    case change_kind::add_index:
      connection_.run(drop_index_sql(table, c.name, c.index));
      catalog_.reread(table);
      break;
    case change_kind::drop_index:
      make(add_index_sql(connection_, catalog_.get(connection_, table), described_index(c)), true);
      catalog_.reread(table);
      break;
    case change_kind::drop_column:
      undo_drop_column(table, c);
      break;
    case change_kind::drop_table:
      if (c.declared != nullptr) create_table(table, c.declared, true);
      break;
    default:
      break;
  }
}

/// The column is back, but what was in it only memory knows.
void mysql_writer::undo_drop_column(std::string_view table, const change& c) {
  try {
    connection_.run(add_column_sql(connection_, catalog_.get(connection_, table), c.name, c.facts));
  } catch (const mysql_error& e) {
    if (e.code() != column_exists) throw;
    return;  // it had not been dropped
  }
  catalog_.restore_column(table, c.column, c.name);
  spdlog::warn("table {}: column {} is in MySQL again, but without its values; mysql repair {} puts them back", table,
               c.name, table);
}

}  // namespace pubsubsql::storage::durable
