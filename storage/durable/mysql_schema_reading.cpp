#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <tuple>
#include <utility>

#include "storage/durable/mysql_schema.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

namespace {

using text = std::optional<std::string>;
using text_row = std::vector<text>;

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_one_of(std::string_view s, std::span<const std::string_view> list) {
  return std::find(list.begin(), list.end(), s) != list.end();
}

template <typename Number>
Number number(const text& t) {
  Number n{};
  if (t) std::from_chars(t->data(), t->data() + t->size(), n);
  return n;
}

// Columns

mysql_form form_of(std::string_view type) {
  constexpr std::array<std::string_view, 16> binary = {
      "binary",       "varbinary",      "tinyblob",           "blob",    "mediumblob", "longblob",
      "geometry",     "point",          "linestring",         "polygon", "multipoint", "multilinestring",
      "multipolygon", "geomcollection", "geometrycollection", "vector"};
  if (is_one_of(type, binary)) return mysql_form::bytes;
  if (type == "bit") return mysql_form::bits;
  return type == "float" ? mysql_form::floating : mysql_form::text;
}

bool keeps_text(std::string_view type, std::string_view character_set) {
  constexpr std::array<std::string_view, 5> types = {"varchar", "tinytext", "text", "mediumtext", "longtext"};
  constexpr std::array<std::string_view, 3> unicode = {"utf8mb4", "utf8mb3", "utf8"};
  return is_one_of(type, types) && is_one_of(character_set, unicode);
}

/// The text of a string literal as MariaDB writes it; nothing when it is another expression.
std::optional<std::string> read_literal(std::string_view s) {
  if (s.size() < 2 || s.front() != '\'' || s.back() != '\'') return std::nullopt;
  s = s.substr(1, s.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '\'' || c == '\\') {
      if (++i == s.size() || (c == '\'' && s[i] != '\'')) return std::nullopt;
      const char escaped = s[i];
      c = escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped == '0' ? '\0' : escaped;
    }
    out += c;
  }
  return out;
}

/// The number of a bit literal, b'101'; nothing when it is something else.
std::optional<std::string> read_bit_literal(std::string_view s) {
  if (s.size() < 3 || !s.starts_with("b'") || s.back() != '\'') return std::nullopt;
  std::uint64_t bits = 0;
  std::from_chars(s.data() + 2, s.data() + s.size() - 1, bits, 2);
  return std::to_string(bits);
}

bool is_number(std::string_view s) {
  constexpr std::string_view of_numbers = "0123456789.-+eE";
  return !s.empty() && s.find_first_not_of(of_numbers) == std::string_view::npos;
}

/// What information_schema says of a default, and whether it is an expression. MariaDB gives all as expressions, MySQL
/// the value, and says so in `extra` when it is none.
void read_default(const mysql_connection& c, const text& t, std::string_view extra, mysql_form form,
                  mysql_column& out) {
  constexpr unsigned mariadb_with_expressions = 10'02'07;
  const bool all_expressions = c.is_mariadb() && c.server_version() >= mariadb_with_expressions;
  if (!t || (all_expressions && *t == "NULL")) return;
  const std::optional<std::string> literal = all_expressions ? read_literal(*t) : std::nullopt;
  const std::optional<std::string> bits = form == mysql_form::bits ? read_bit_literal(*t) : std::nullopt;
  std::string scratch;
  out.facts.default_text = literal ? std::string(*from_mysql(form, *literal, scratch)) : bits.value_or(*t);
  const bool is_plain = literal || bits || is_number(*t) || (form == mysql_form::bytes && t->starts_with("0x"));
  out.computed_default = all_expressions ? !is_plain : lower(extra).find("default_generated") != std::string::npos;
}

/// MySQL's words for what is special about a column, as describe shows them.
std::string read_extra(std::string_view s) {
  constexpr std::string_view noise = "default_generated";  // the default is an expression: it shows
  std::string out = lower(s);
  if (const auto at = out.find(noise); at != std::string::npos) {
    out.erase(at, noise.size());
    if (at < out.size() && out[at] == ' ') out.erase(at, 1);
  }
  return out;
}

struct columns_row {
  enum : std::size_t {
    table,
    name,
    standard,
    nullable,
    data_type,
    character_set,
    collation,
    type,
    extra,
    length,
    expression,
    comment
  };
  static constexpr std::string_view list =
      "TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, "
      "COLUMN_TYPE, EXTRA, CHARACTER_MAXIMUM_LENGTH, GENERATION_EXPRESSION, COLUMN_COMMENT";
};

/// What was declared of a column and MySQL does not say, or not in our words.
void read_comment(std::string_view comment, mysql_column& out) {
  out.facts.untyped = comment.starts_with(untyped_comment);
  if (out.facts.untyped) comment.remove_prefix(std::min(comment.size(), untyped_comment.size() + 1));
  // Without a comment others have made it: MySQL's words may be ours, too.
  const bool in_other_words = out.computed_default || (out.facts.default_text && out.form == mysql_form::bytes);
  if (in_other_words && comment.starts_with(default_comment)) {
    out.facts.default_text = comment.substr(default_comment.size());
  }
  if (!out.computed_default) return;
  if (out.facts.extra.empty()) out.facts.extra = column_facts::computed_default;
}

/// `declared`: the column's table.
mysql_column read_column(const mysql_connection& c, const text_row& row, bool declared) {
  mysql_column out;
  out.name = row[columns_row::name].value_or("");
  const std::string type = lower(row[columns_row::data_type].value_or(""));
  out.form = form_of(type);
  out.facts.type = row[columns_row::type].value_or("");
  out.facts.nullable = row[columns_row::nullable] == "YES";
  const std::string extra = row[columns_row::extra].value_or("");
  read_default(c, row[columns_row::standard], extra, out.form, out);
  out.facts.extra = read_extra(extra);
  out.generated = out.facts.extra.find("generated") != std::string::npos;
  out.auto_increment = out.facts.extra.find("auto_increment") != std::string::npos;
  out.may_alter = !keeps_text(type, row[columns_row::character_set].value_or(""));
  out.has_default = out.facts.default_text.has_value();
  if (declared) read_comment(row[columns_row::comment].value_or(""), out);
  out.collation = row[columns_row::collation].value_or("");
  if (!out.collation.empty()) out.length_max = number<std::uint64_t>(row[columns_row::length]);
  return out;
}

// Indexes

struct index {
  std::string name;
  bool unique = false;
  bool usable = true;                ///< equal values can be found by it
  bool parts_are_columns = true;     ///< or the beginnings of some
  bool whole = true;                 ///< all of it is columns, and each with its whole length
  std::vector<std::size_t> columns;  ///< places in the list of columns, as long as `whole`; the first one in any case
};

struct statistics_row {
  enum : std::size_t { table, index_name, non_unique, column, sub_part, type };
  static constexpr std::string_view list = "TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE";
};

/// A table while it is read: `columns` are all there are.
struct reading {
  mysql_table table;
  std::uint64_t auto_increment = 0;
  std::string engine_without_transactions;  ///< empty: its engine has them
  std::vector<index> indexes;
  bool id_is_given = false;            ///< its comment says so
  std::optional<std::size_t> row_end;  ///< of a system-versioned table: the column that ends a row's time

  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view column) const {
    const auto& all = table.columns;
    const auto it = std::find_if(all.begin(), all.end(), [&](const mysql_column& c) { return c.name == column; });
    if (it == all.end()) return std::nullopt;
    return static_cast<std::size_t>(it - all.begin());
  }
};

/// REQUIRES: the rows of one index come in their order.
void read_index_part(reading& r, const text_row& row) {
  constexpr std::array<std::string_view, 4> not_for_equality = {"FULLTEXT", "SPATIAL", "RTREE", "VECTOR"};
  const std::string& name = *row[statistics_row::index_name];
  auto it = std::find_if(r.indexes.begin(), r.indexes.end(), [&](const index& i) { return i.name == name; });
  if (it == r.indexes.end()) {
    it = r.indexes.insert(it, index{});
    it->name = name;
    it->unique = row[statistics_row::non_unique] == "0";
    it->usable = !is_one_of(row[statistics_row::type].value_or(""), not_for_equality);
  }
  std::optional<std::size_t> place;  // nothing: the part is an expression
  if (row[statistics_row::column]) place = r.place_of(*row[statistics_row::column]);
  // MariaDB adds the end of a row's time to every unique index of a system-versioned table; the rows that are seen all
  // have the same.
  if (place && place == r.row_end && !it->columns.empty()) return;
  if (!place && it->columns.empty()) it->usable = false;
  if (!place) it->parts_are_columns = false;
  if (!place || row[statistics_row::sub_part]) it->whole = false;
  if (place) it->columns.push_back(*place);
}

bool is_key(const index& i) {
  return i.unique && i.whole && i.columns.size() == 1;
}

const index* primary_key(const reading& r) {
  const auto it = std::find_if(r.indexes.begin(), r.indexes.end(), [](const index& i) { return i.name == "PRIMARY"; });
  return it == r.indexes.end() ? nullptr : &*it;
}

/// The index that addresses rows: the primary key if there is one, otherwise the best unique index without NULL.
const index* address_of(const reading& r) {
  const auto generated = [&](const index& i) {
    return std::any_of(i.columns.begin(), i.columns.end(), [&](auto at) { return r.table.columns[at].generated; });
  };
  const auto rank = [&](const index& i) { return std::tuple(i.name != "PRIMARY", generated(i), i.columns.size()); };
  const index* best = nullptr;
  for (const index& i : r.indexes) {
    const bool nullable =
        std::any_of(i.columns.begin(), i.columns.end(), [&](auto at) { return r.table.columns[at].facts.nullable; });
    if (!i.unique || !i.usable || !i.whole || nullable) continue;
    if (best == nullptr || rank(i) < rank(*best)) best = &i;
  }
  return best;
}

/// The place of the column that serves as our id, if one does. Then sets next_id.
std::optional<std::size_t> find_own_id(mysql_connection& c, reading& r) {
  constexpr std::array<std::string_view, 5> integers = {"tinyint", "smallint", "mediumint", "int", "bigint"};
  const index* primary = primary_key(r);
  if (primary == nullptr || !is_key(*primary)) return std::nullopt;
  const mysql_column& column = r.table.columns[primary->columns.front()];
  const std::string_view type = std::string_view(column.facts.type).substr(0, column.facts.type.find_first_of("( "));
  if (lower(column.name) != "id" || column.generated || !is_one_of(type, integers)) return std::nullopt;
  const std::string name = quoted_name(column.name);
  const auto ends = c.query("SELECT MIN(" + name + "), MAX(" + name + ") FROM " + quoted_name(r.table.name));
  const text& lowest = ends.at(0).at(0);
  const text& highest = ends.at(0).at(1);
  if (lowest && lowest->front() == '-') return std::nullopt;
  const auto last = number<std::uint64_t>(highest);
  if (last > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  r.table.next_id = highest ? last + 1 : 0;
  if (column.auto_increment) r.table.next_id = std::max({r.table.next_id, r.auto_increment, std::uint64_t{1}});
  return primary->columns.front();
}

/// The engine's column for a place among all columns, of which the own id is none.
column_index to_column(std::size_t place, std::optional<std::size_t> id) {
  if (!id || place < *id) return static_cast<column_index>(place + 1);
  return place == *id ? id_column : static_cast<column_index>(place);
}

/// Whether it was made by `key` or `tag`.
bool has_made_name(const reading& r, const index& i) {
  return i.columns.size() == 1 && i.name == made_index_name(r.table.columns[i.columns.front()].name);
}

/// Whether the engine knows the index by its name. Of one over a single column it knows what the column is because of
/// it, unless it was declared, too.
bool is_named(const reading& r, const index& i, std::optional<std::size_t> id) {
  if (!i.usable || i.columns.empty() || !i.parts_are_columns) return false;
  return i.columns.size() > 1 || (r.table.declared && i.columns.front() != id && !has_made_name(r, i));
}

/// The indexes with a name, the primary key first. Where the engine could not tell what is equal as MySQL does, an
/// index is not unique for it.
std::vector<index_description> indexes_of(const reading& r, std::optional<std::size_t> id) {
  std::vector<index_description> out;
  for (const index& i : r.indexes) {
    if (!is_named(r, i, id)) continue;
    index_description made{.name = i.name, .columns = {}};
    for (const std::size_t place : i.columns) made.columns.push_back(to_column(place, id));
    const bool primary = i.name == "PRIMARY";
    if (i.unique && i.whole) made.type = primary ? parser::index_type::primary : parser::index_type::unique;
    out.insert(primary ? out.begin() : out.end(), std::move(made));
  }
  return out;
}

/// Whether the column is what this server makes for text without a type.
bool is_untyped(const mysql_connection& c, const mysql_column& column) {
  const bool type = column.facts.type == "longtext" || column.facts.type == "varchar(255)";
  return type && column.facts.nullable && !column.has_default && column.facts.extra.empty() &&
         column.collation == made_collation(c.is_mariadb(), c.server_version());
}

/// Whether a declared table's id was declared. One that was not looks as in the tables without types.
bool is_declared_id(const reading& r, const column_facts& facts) {
  return r.id_is_given || !facts.extra.empty() || !lower(facts.type).starts_with("bigint");
}

/// All columns and indexes are read: makes of them the table that the engine mirrors.
mysql_table finish(mysql_connection& c, reading& r) {
  mysql_table& t = r.table;
  for (const index& i : r.indexes) {
    if (!i.usable || i.columns.empty()) continue;
    mysql_column& column = t.columns[i.columns.front()];
    const index_kind kind = is_key(i) ? index_kind::key : index_kind::tag;
    if (column.index != index_kind::key) column.index = kind;
    if (t.declared && has_made_name(r, i)) column.made_index = kind;
  }
  for (mysql_column& column : t.columns) {
    if (!t.declared) column.facts.untyped = is_untyped(c, column);
  }
  const std::optional<std::size_t> id = find_own_id(c, r);
  t.indexes = indexes_of(r, id);
  if (id) {
    t.own_id = true;
    const column_facts& facts = t.columns[*id].facts;
    if (t.declared && is_declared_id(r, facts)) t.id_facts = facts;
    t.columns.erase(t.columns.begin() + static_cast<std::ptrdiff_t>(*id));
  } else if (const index* address = address_of(r)) {
    for (const std::size_t at : address->columns) t.address.push_back(static_cast<column_index>(at + 1));
  } else {
    t.read_only_reason = "it has no primary or unique key in MySQL";
  }
  if (!r.engine_without_transactions.empty()) {
    t.read_only_reason = "its engine in MySQL, " + r.engine_without_transactions +
                         ", has no transactions; make it InnoDB there, and restart the server or connect again";
  }
  t.hides_id = std::any_of(t.columns.begin(), t.columns.end(),
                           [](const mysql_column& column) { return lower(column.name) == "id"; });
  return std::move(t);
}

// The questions to information_schema. Its columns are taken by their place: servers differ in the case of their names.

/// `AND column IN (?, ...)`, where `wrapped` puts each `?` and the column into an expression; nothing without names.
std::string in_names(std::string_view column, std::size_t names, std::string_view before, std::string_view after) {
  if (names == 0) return {};
  const auto wrapped = [&](std::string_view s) { return std::string(before).append(s).append(after); };
  std::string out = " AND " + wrapped(column) + " IN (";
  for (std::size_t i = 0; i < names; ++i) out.append(i == 0 ? "" : ", ").append(wrapped("?"));
  return out + ")";
}

std::string in_names(std::string_view column, std::size_t names) {
  return in_names(column, names, "", "");
}

/// Names have no characters beyond those of utf8mb3, and some servers refuse the comparison with any others.
bool may_be_name(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xf0; });
}

/// While others change a table, information_schema does not wait for them inside a transaction but leaves the table, or
/// some of what belongs to it, out (MariaDB's warning 1684). Having read from the table keeps its definition as it is
/// until the transaction ends. Returns false when there is no such table.
bool hold_definition(mysql_connection& c, std::string_view table) {
  constexpr std::array no_such_table = {1146, 1103, 1059};  // none has, or can have, that name
  try {
    static_cast<void>(c.query("SELECT 1 FROM " + quoted_name(table) + " LIMIT 0"));
    return true;
  } catch (const mysql_error& e) {
    if (std::ranges::find(no_such_table, e.code()) == no_such_table.end()) throw;
    return false;
  }
}

/// The names of the tables there are, the next number of each, as far as it gives numbers, its comment, and its engine
/// if that has no transactions.
std::vector<text_row> list_tables(mysql_connection& c, std::span<const mysql_parameter> names) {
  constexpr unsigned mysql_with_cached_statistics = 8'00'00;
  if (!c.is_mariadb() && c.server_version() >= mysql_with_cached_statistics) {
    c.run("SET SESSION information_schema_stats_expiry = 0");
  }
  // The first comparison is for speed, it lets the server open only these tables; but it may take other names for
  // equal.
  const bool exact = c.query("SELECT @@lower_case_table_names").at(0).at(0) == "0";
  std::vector<mysql_parameter> parameters(names.begin(), names.end());
  parameters.insert(parameters.end(), names.begin(), names.end());
  return c.query(
      "SELECT TABLE_NAME, AUTO_INCREMENT, TABLE_COMMENT, "
      "IF(ENGINE IN (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'), '', ENGINE) "
      "FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
      "AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')" +
          in_names("TABLE_NAME", names.size()) +
          in_names("TABLE_NAME", names.size(), exact ? "CAST(" : "CAST(LOWER(",
                   exact ? " AS BINARY)" : ") AS BINARY)") +
          " ORDER BY TABLE_NAME",
      parameters);
}

}  // namespace

std::vector<mysql_table> read_tables(mysql_connection& c, std::span<const std::string> only) {
  std::vector<mysql_parameter> names;
  for (const std::string& name : only) {
    if (may_be_name(name)) names.emplace_back(name);
  }
  if (names.empty() && !only.empty()) return {};
  std::vector<reading> found;
  text_map<std::size_t> place_by_name;
  for (text_row& row : list_tables(c, names)) {
    if (!row.at(0) || row[0]->starts_with("pubsubsql_")) continue;
    reading& r = found.emplace_back();
    r.table.name = std::move(*row[0]);
    r.auto_increment = number<std::uint64_t>(row.at(1));
    r.table.declared = row.at(2).value_or("").starts_with(declared_comment);
    r.engine_without_transactions = row.at(3).value_or("");
    place_by_name.emplace(r.table.name, found.size() - 1);
  }
  if (found.empty()) return {};
  const auto reading_of = [&](const text_row& row) -> reading* {
    const auto it = place_by_name.find(row.at(0).value_or(""));
    return it == place_by_name.end() ? nullptr : &found[it->second];
  };
  const auto query = [&](std::string_view list, std::string_view from, std::string_view schema, std::string_view table,
                         std::string_view order) {
    std::string sql = "SELECT ";
    sql.append(list).append(" FROM information_schema.").append(from).append(" WHERE ").append(schema);
    sql.append(" = DATABASE()").append(in_names(table, names.size())).append(order);
    return c.query(sql, names);
  };

  for (const text_row& row :
       query(columns_row::list, "COLUMNS", "TABLE_SCHEMA", "TABLE_NAME", " ORDER BY TABLE_NAME, ORDINAL_POSITION")) {
    reading* r = reading_of(row);
    if (r == nullptr) continue;
    if (row[columns_row::expression] == "ROW END") r->row_end = r->table.columns.size();
    if (row[columns_row::comment] == given_id_comment) r->id_is_given = true;
    r->table.columns.push_back(read_column(c, row, r->table.declared));
  }
  for (const text_row& row : query(statistics_row::list, "STATISTICS", "TABLE_SCHEMA", "TABLE_NAME",
                                   " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX")) {
    reading* r = reading_of(row);
    if (r != nullptr && row[statistics_row::index_name]) read_index_part(*r, row);
  }
  for (const text_row& row : query("EVENT_OBJECT_TABLE", "TRIGGERS", "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE", "")) {
    if (reading* r = reading_of(row)) r->table.has_triggers = true;
  }

  std::vector<mysql_table> out;
  for (reading& r : found) {
    // Without columns: it was dropped meanwhile.
    if (!r.table.columns.empty()) out.push_back(finish(c, r));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> read_foreign_keys(mysql_connection& c) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const text_row& row :
       c.query("SELECT DISTINCT TABLE_NAME, REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE "
               "WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_SCHEMA = DATABASE()")) {
    if (row.at(0) && row.at(1)) found.emplace_back(*row[0], *row[1]);
  }
  c.run("COMMIT");
  return found;
}

std::optional<mysql_table> read_table(mysql_connection& c, std::string_view name) {
  const std::string wanted(name);
  if (!may_be_name(name) || !hold_definition(c, name)) return std::nullopt;
  std::vector<mysql_table> found = read_tables(c, {&wanted, 1});
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace pubsubsql::storage::durable
