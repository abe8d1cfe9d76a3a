// Tables, columns and indexes as SQL that makes them with their types.

#include <algorithm>

#include "storage/durable/mysql_expression.hpp"
#include "storage/durable/mysql_schema.hpp"
#include "storage/durable/queue_comment.hpp"
#include "storage/sql/column_type.hpp"

namespace pubsubsql::storage::durable {

namespace {

constexpr int no_primary_key = 1173;

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

sql::column_type type_of(const column_facts& f) {
  return f.type.empty() ? sql::column_type() : sql::foreign_column_type(f.type);
}

bool holds_bytes(const sql::column_type& type) {
  return type.kind == sql::type_kind::bytes;
}

/// Texts without a length, JSON and blobs: MySQL, unlike MariaDB, takes no literal for their default.
bool wants_expression(const sql::column_type& type) {
  if (type.is_untyped() || (holds_bytes(type) && type.word.ends_with("blob"))) return true;
  return type.kind >= sql::type_kind::tinytext && type.kind <= sql::type_kind::json;
}

/// What stands behind DEFAULT.
std::string default_sql(const mysql_connection& c, const column_facts& f) {
  const std::string& text = *f.default_text;
  const sql::column_type type = type_of(f);
  // MySQL before 8.0.13 knows no expressions but these.
  if (type.kind == sql::type_kind::datetime || type.kind == sql::type_kind::timestamp) {
    if (is_current_time(text)) return to_mysql_expression(text);
  }
  if (f.extra == column_facts::computed_default) return "(" + to_mysql_expression(text) + ")";
  if (type.kind == sql::type_kind::bit) return text;  // a number; in quotes it would be the bits of its characters
  const bool in_digits = holds_bytes(type) && text.size() > 2;
  const std::string literal = in_digits ? text : quoted_text(text == "0x" ? "" : text);
  return !c.is_mariadb() && wants_expression(type) ? "(" + literal + ")" : literal;
}

bool has_type(const column_facts* f) {
  return f != nullptr && !f->type.empty() && !f->untyped;
}

/// What of a declared table's column MySQL has no words for, or would put into other words; empty: nothing.
std::string column_comment(const column_facts* f) {
  std::string comment(has_type(f) ? "" : untyped_comment);
  if (f == nullptr || !f->default_text) return comment;
  const bool in_other_words = f->extra == column_facts::computed_default || holds_bytes(type_of(*f));
  if (!in_other_words) return comment;
  return comment.append(comment.empty() ? "" : " ").append(default_comment).append(*f->default_text);
}

/// The type and what goes with it. `declared`: the column's table; `indexed`: text without a type has to have a length
/// then.
std::string definition(const mysql_connection& c, const column_facts* f, bool declared, bool indexed) {
  const std::string text = std::string(indexed ? "VARCHAR(255)" : "LONGTEXT") + " COLLATE " +
                           std::string(made_collation(c.is_mariadb(), c.server_version()));
  std::string sql = has_type(f) ? f->type : text;
  sql += f == nullptr || f->nullable ? " NULL" : " NOT NULL";
  if (f != nullptr && f->default_text) sql += " DEFAULT " + default_sql(c, *f);
  if (f != nullptr && !f->extra.empty() && f->extra != column_facts::computed_default) sql += " " + f->extra;
  const std::string comment = declared ? column_comment(f) : "";
  return comment.empty() ? sql : sql + " COMMENT " + quoted_text(comment);
}

const column_facts* facts_of(const table_description::column& c) {
  return c.facts ? &*c.facts : nullptr;
}

bool is_in_an_index(const table_description& d, column_index column) {
  const auto has = [&](const index_description& i) { return std::ranges::find(i.columns, column) != i.columns.end(); };
  return d.columns[column - 1].index != index_kind::none || std::ranges::any_of(d.indexes, has);
}

bool has_primary_key(const table_description& d) {
  const auto is_primary = [](const index_description& i) { return i.type == parser::index_type::primary; };
  return d.primary_column.has_value() || std::ranges::any_of(d.indexes, is_primary);
}

/// Whether rows can be told from each other without a primary key.
bool has_address(const table_description& d) {
  const auto never_null = [&](column_index column) {
    const column_facts* f = column == id_column ? nullptr : facts_of(d.columns[column - 1]);
    return f != nullptr && !f->nullable;
  };
  for (column_index column = 1; column <= d.columns.size(); ++column) {
    const table_description::column& c = d.columns[column - 1];
    if (!c.dropped && c.index == index_kind::key && never_null(column)) return true;
  }
  return std::ranges::any_of(d.indexes, [&](const index_description& i) {
    return i.type == parser::index_type::unique && std::ranges::all_of(i.columns, never_null);
  });
}

std::string name_of(const table_description& d, column_index column) {
  return column == id_column ? "`id`" : quoted_name(d.columns[column - 1].name);
}

std::string_view index_words(parser::index_type type) {
  switch (type) {
    case parser::index_type::primary:
      return "PRIMARY KEY";
    case parser::index_type::unique:
      return "UNIQUE INDEX";
    case parser::index_type::plain:
      break;
  }
  return "INDEX";
}

/// What `key` or `tag` has made.
std::string column_index_sql(const table_description& d, column_index column) {
  const table_description::column& c = d.columns[column - 1];
  const std::string in_brackets = " (" + name_of(d, column) + ")";
  if (d.primary_column == column) return "PRIMARY KEY" + in_brackets;
  return std::string(c.index == index_kind::key ? "UNIQUE INDEX " : "INDEX ") + quoted_name(made_index_name(c.name)) +
         in_brackets;
}

std::string table_index_sql(const table_description& d, const index_description& index) {
  std::string columns;
  for (const column_index column : index.columns)
    columns.append(columns.empty() ? "" : ", ").append(name_of(d, column));
  std::string sql(index_words(index.type));
  if (index.type != parser::index_type::primary) sql += " " + quoted_name(index.name);
  return sql + " (" + columns + ")";
}

}  // namespace

std::string create_table_sql(const mysql_connection& c, const table_description& d) {
  std::string items;
  const auto add = [&](const std::string& item) { items.append(items.empty() ? "" : ", ").append(item); };
  if (d.id_facts) {
    const std::string comment = d.id_facts->extra.empty() ? " COMMENT " + quoted_text(given_id_comment) : "";
    add("`id` " + definition(c, &*d.id_facts, d.declared, true) + " PRIMARY KEY" + comment);
  } else if (!has_primary_key(d) && !d.hides_id) {
    add("`id` BIGINT NOT NULL PRIMARY KEY");
  } else if (!has_primary_key(d) && !has_address(d)) {
    throw mysql_error(no_primary_key, "42000",
                      "table " + d.name + " needs a primary key, or a unique one without NULL: MySQL tells rows by it");
  }
  for (column_index column = 1; column <= d.columns.size(); ++column) {
    const table_description::column& of = d.columns[column - 1];
    if (of.dropped) continue;
    add(quoted_name(of.name) + " " + definition(c, facts_of(of), d.declared, is_in_an_index(d, column)));
  }
  for (column_index column = 1; column <= d.columns.size(); ++column) {
    const table_description::column& of = d.columns[column - 1];
    if (!of.dropped && of.index != index_kind::none) add(column_index_sql(d, column));
  }
  for (const index_description& index : d.indexes) add(table_index_sql(d, index));
  return "CREATE TABLE " + quoted_name(d.name) + " (" + items +
         ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE " +
         std::string(made_collation(c.is_mariadb(), c.server_version())) +
         (d.declared ? " COMMENT=" + quoted_text(std::string(declared_comment) + queue_comment(d)) : "");
}

std::string add_column_sql(const mysql_connection& c, const mysql_table& t, std::string_view column,
                           const column_facts* facts) {
  return "ALTER TABLE " + quoted_name(t.name) + " ADD COLUMN " + quoted_name(column) + " " +
         definition(c, facts, t.declared, false);
}

std::string add_index_sql(const mysql_connection& c, const mysql_table& t, const index_description& index) {
  std::string sql = "ALTER TABLE " + quoted_name(t.name) + " ";
  std::string columns;
  for (const column_index column : index.columns) {
    if (!columns.empty()) columns += ", ";
    if (column == id_column) {
      columns += "`id`";
      continue;
    }
    const indexed_column of = make_indexable(c, t, column, index.type == parser::index_type::plain);
    sql += of.modification;
    columns += of.part;
  }
  sql.append("ADD ").append(index_words(index.type));
  if (index.type != parser::index_type::primary) sql += " " + quoted_name(index.name);
  return sql + " (" + columns + ")";
}

std::string drop_index_sql(std::string_view table, std::string_view index, parser::index_type type) {
  const std::string what = type == parser::index_type::primary ? "PRIMARY KEY" : "INDEX " + quoted_name(index);
  return "ALTER TABLE " + quoted_name(table) + " DROP " + what;
}

}  // namespace pubsubsql::storage::durable
