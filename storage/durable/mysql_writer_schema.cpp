// Changes of MySQL's schemas, and the way back.

#include <algorithm>
#include <array>

#include "storage/durable/mysql_writer.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// The thing to be made is there already.
constexpr std::array already_there = {1050, 1060, 1061};

constexpr int no_such_column = 1054;
constexpr int table_exists = 1050;

}  // namespace

void mysql_writer::throw_column_is_gone(const mysql_table& t) {
  throw mysql_error(
      no_such_column, "42S22",
      "a column of table " + t.name + " is no longer in MySQL; restart the server to take the table over as it is");
}

void mysql_writer::make(const std::string& sql, bool may_be_there) {
  try {
    connection_.run(sql);
  } catch (const mysql_error& e) {
    if (may_be_there && std::ranges::find(already_there, e.code()) != already_there.end()) return;
    if (e.code() != table_exists) throw;
    throw mysql_error(e.code(), e.sqlstate(),
                      std::string(e.what()) +
                          " in MySQL, and was not taken over when the server started or connected; name it in "
                          "--mysql-tables if you use that, and restart or connect again");
  }
}

void mysql_writer::change_schema(std::string_view table, const change& c, bool may_be_there) {
  switch (c.kind) {
    case change_kind::create_table:
      make(create_table_sql(connection_, table), may_be_there);
      catalog_.put(new_mysql_table(table));
      break;
    case change_kind::add_column: {
      mysql_table& t = catalog_.get(connection_, table);
      const bool known = c.column <= t.columns.size() && t.columns[c.column - 1].name == c.name;
      if (may_be_there && known) break;
      if (c.column != t.columns.size() + 1) throw_column_is_gone(t);
      make(add_column_sql(connection_, table, c.name), may_be_there);
      t.columns.push_back(new_mysql_column(c.name));
      break;
    }
    case change_kind::add_key:
    case change_kind::add_tag: {
      const index_kind kind = c.kind == change_kind::add_key ? index_kind::key : index_kind::tag;
      mysql_table& t = catalog_.get(connection_, table);
      if (c.column > t.columns.size()) throw_column_is_gone(t);
      make(add_index_sql(connection_, t, c.column, kind), may_be_there);
      catalog_.reread(table);  // the column's type may be another
      break;
    }
    case change_kind::set_ack:
    case change_kind::insert_row:
    case change_kind::update_row:
    case change_kind::delete_row:
    case change_kind::drop_table:
    case change_kind::drop_column:
    case change_kind::add_index:
    case change_kind::drop_index:
      break;
  }
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
    default:
      break;
  }
}

}  // namespace pubsubsql::storage::durable
