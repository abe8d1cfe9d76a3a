#include "storage/durable/mysql_schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ranges>

#include "storage/sql/byte_text.hpp"

namespace pubsubsql::storage::durable {

namespace {

// Values

/// A whole number as the bytes of a bit column, the highest first; any other text as read_bytes() takes it.
std::string_view read_bits(std::string_view text, std::string& out) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc{} || stop != end) return sql::read_bytes(text, out);
  out.clear();
  do {
    out.insert(out.begin(), static_cast<char>(number & 0xffU));
    number >>= 8U;
  } while (number != 0);
  return out;
}

std::optional<float> read_float(std::string_view text) {
  float number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc{} || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

/// Writes the shortest text for a float, with an exponent only where MySQL would write one.
std::string_view write_float(float number, std::string& out) {
  constexpr int lowest_plain = -15;
  constexpr int highest_plain = 14;
  std::array<char, 32> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));

  out.clear();
  if (text.front() == '-') {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? 1 : 0;
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);
  const std::string_view mantissa = text.substr(0, e);
  if (exponent < lowest_plain || exponent > highest_plain) {
    return out.append(mantissa).append("e").append(std::to_string(exponent));
  }

  std::string digits(mantissa.substr(0, 1));
  if (mantissa.size() > 1) digits.append(mantissa.substr(2));
  if (exponent < 0) {
    return out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out.append(digits).append(whole - digits.size(), '0');
  return out.append(digits, 0, whole).append(".").append(digits, whole);
}

// SQL

/// The first word of a column's type: decimal of decimal(10,2) unsigned.
std::string_view type_word(const mysql_column& column) {
  return std::string_view(column.facts.type).substr(0, column.facts.type.find_first_of("( "));
}

/// What a SELECT has to say for the column's value to come as from_mysql() takes it.
std::string selected(const mysql_column& column) {
  constexpr std::array<std::string_view, 6> written_by_connector = {"double",   "date",      "time",
                                                                    "datetime", "timestamp", "year"};
  if (column.dropped) return "NULL";
  const std::string name = quoted_name(column.name);
  if (column.form == mysql_form::bits) return name + " + 0";
  // A float by itself comes with six digits; the product is a double.
  if (column.form == mysql_form::floating) return "CAST(" + name + " * 1E0 AS CHAR)";
  const bool written = std::find(written_by_connector.begin(), written_by_connector.end(), type_word(column)) !=
                       written_by_connector.end();
  const bool zerofill = column.facts.type.ends_with("zerofill");
  return written || zerofill ? "CAST(" + name + " AS CHAR)" : name;
}

std::string alter_table(std::string_view table) {
  return "ALTER TABLE " + quoted_name(table) + " ";
}

std::string_view collation_for(const mysql_connection& c) {
  return made_collation(c.is_mariadb(), c.server_version());
}

std::uint32_t hash(std::string_view text) {
  std::uint32_t h = 2166136261U;  // FNV-1a: the same in every build, for the name has to be found again
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
  return h;
}

/// Bytes of the first `characters` characters.
std::size_t prefix_bytes(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts_character = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U;
    if (starts_character && characters-- == 0) break;
  }
  return at;
}

/// Whether making VARCHAR of a LONGTEXT loses nothing but length. Under MariaDB JSON is LONGTEXT with this collation
/// and a check, which would be lost.
bool becomes_varchar(const mysql_connection& c, const mysql_column& column) {
  return type_word(column) == "longtext" && !column.has_default && column.facts.extra.empty() &&
         !(c.is_mariadb() && column.collation == "utf8mb4_bin");
}

/// Whether an index takes the column only with a length, or at least not all of its length.
bool needs_prefix(const mysql_column& column) {
  const std::string_view type = type_word(column);
  const bool binary = type == "binary" || type == "varbinary";
  if (type.ends_with("text") || (column.form == mysql_form::bytes && !binary)) return true;
  if (type != "varchar" && type != "varbinary") return false;
  constexpr unsigned whole_max = 768;  // characters of four bytes in an index of InnoDB
  unsigned length = 0;
  const std::string_view in_brackets = std::string_view(column.facts.type).substr(type.size() + 1);
  std::from_chars(in_brackets.data(), in_brackets.data() + in_brackets.size(), length);
  return length > whole_max;
}

}  // namespace

std::string made_index_name(std::string_view column) {
  constexpr std::size_t characters_max = 64;  // of any name in MySQL
  std::string name = "pubsubsql_" + std::string(column);
  if (prefix_bytes(name, characters_max) == name.size()) return name;
  std::array<char, sizeof(std::uint32_t)> bytes{};
  for (std::uint32_t rest = hash(column); char& byte : bytes | std::views::reverse) {
    byte = static_cast<char>(rest & 0xffU);
    rest >>= 8U;
  }
  std::string suffix = "_";
  sql::append_digits(suffix, {bytes.data(), bytes.size()});
  name.resize(prefix_bytes(name, characters_max - suffix.size()));
  return name + suffix;
}

bool mysql_table::needs_read_back() const {
  return has_triggers || std::any_of(columns.begin(), columns.end(), [](const mysql_column& c) {
           return !c.dropped && (c.may_alter || c.generated || c.auto_increment || c.has_default);
         });
}

namespace {

/// What had been declared of a column without a type.
std::optional<column_facts> without_type(column_facts facts) {
  if (facts.nullable && !facts.default_text) return std::nullopt;
  facts.type.clear();
  facts.untyped = false;
  return facts;
}

/// A default that comes with more than memory knows of, as ON UPDATE does.
void leave_to_mysql(column_facts& facts) {
  facts.default_text.reset();
  facts.nullable = true;
}

}  // namespace

table_description mysql_table::description() const {
  table_description d;
  d.name = name;
  for (const mysql_column& c : columns) {
    const index_kind kind = declared ? c.made_index : c.index;
    d.columns.push_back({c.name, kind, c.dropped ? std::nullopt : std::optional(c.facts), c.dropped});
    if (declared && c.facts.untyped) d.columns.back().facts = without_type(c.facts);
    if (declared && c.computed_default && c.facts.extra != column_facts::computed_default) {
      leave_to_mysql(*d.columns.back().facts);
    }
  }
  d.indexes = indexes;
  d.id_facts = id_facts;
  d.declared = declared;
  d.next_id = next_id;
  d.hides_id = hides_id;
  d.read_only_reason = read_only_reason;
  return d;
}

std::optional<column_index> mysql_table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column && !columns[i].dropped) return static_cast<column_index>(i + 1);
  }
  if (!hides_id && column == "id") return id_column;
  return std::nullopt;
}

std::string select_list(const mysql_table& t) {
  std::string out;
  if (t.own_id) out = "`id`";
  for (const mysql_column& c : t.columns) out.append(out.empty() ? "" : ", ").append(selected(c));
  return out;
}

std::string order_by_address(const mysql_table& t) {
  if (t.own_id) return "ORDER BY `id`";
  std::string out;
  for (const column_index column : t.address) {
    out.append(out.empty() ? "ORDER BY " : ", ").append(quoted_name(t.columns[column - 1].name));
  }
  return out;
}

std::string_view placeholder(const mysql_column& column) {
  // Servers differ in whether a text for a bit column is bytes or digits; a number is a number.
  return column.form == mysql_form::bits ? "CAST(CONV(HEX(?), 16, 10) AS UNSIGNED)" : "?";
}

std::string address_condition(const mysql_table& t) {
  if (t.own_id) return "`id` = ?";
  std::string out;
  for (const column_index at : t.address) {
    const mysql_column& column = t.columns[at - 1];
    out.append(out.empty() ? "" : " AND ").append(quoted_name(column.name)).append(" = ");
    if (type_word(column) == "decimal") {
      const std::string_view type = column.facts.type;
      out.append("CAST(? AS ").append(type.substr(0, type.find(')') + 1)).append(")");
    } else {
      out.append(placeholder(column));
    }
  }
  return out;
}

value from_mysql(mysql_form form, const value& v, std::string& scratch) {
  if (!v) return v;
  if (form == mysql_form::bytes) return sql::write_bytes(*v, scratch);
  if (form == mysql_form::floating) {
    if (const std::optional<float> number = read_float(*v)) return write_float(*number, scratch);
  }
  return v;
}

value to_mysql(mysql_form form, const value& v, std::string& scratch) {
  if (!v) return v;
  switch (form) {
    case mysql_form::text:
      break;
    case mysql_form::bytes:
      return sql::read_bytes(*v, scratch);
    case mysql_form::bits:
      return read_bits(*v, scratch);
    case mysql_form::floating: {
      // All digits of the float as a double: MySQL compares a float as one.
      const std::optional<float> number = read_float(*v);
      if (!number) break;
      std::array<char, 32> buffer{};
      const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<double>(*number));
      scratch.assign(buffer.data(), written.ptr);
      return scratch;
    }
  }
  return v;
}

bool may_be_cut(const mysql_column& column, const value& v) {
  if (!v || !v->ends_with(' ') || v->size() <= column.length_max || column.length_max == 0) return false;
  const bool in_characters = type_word(column).ends_with("char");
  return !in_characters || prefix_bytes(*v, column.length_max) < v->size();
}

std::string_view made_collation(bool is_mariadb, unsigned server_version) {
  if (is_mariadb) return server_version >= 10'02'02 ? "utf8mb4_nopad_bin" : "utf8mb4_bin";
  return server_version >= 8'00'17 ? "utf8mb4_0900_bin" : "utf8mb4_bin";
}

std::string create_table_sql(const mysql_connection& c, std::string_view table) {
  return "CREATE TABLE " + quoted_name(table) +
         " (`id` BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE " +
         std::string(collation_for(c));
}

std::string drop_table_sql(std::string_view table) {
  return "DROP TABLE " + quoted_name(table);
}

std::string drop_column_sql(std::string_view table, std::string_view column) {
  return alter_table(table) + "DROP COLUMN " + quoted_name(column);
}

indexed_column make_indexable(const mysql_connection& c, const mysql_table& t, column_index column,
                              bool may_be_cut_off) {
  const mysql_column& of = t.columns[column - 1];
  indexed_column made{.modification = {}, .part = quoted_name(of.name)};
  if (!t.declared && becomes_varchar(c, of)) {
    made.modification = "MODIFY COLUMN " + made.part + " VARCHAR(255) COLLATE ";
    made.modification.append(of.collation.empty() ? collation_for(c) : of.collation);
    made.modification += of.facts.nullable ? " NULL, " : " NOT NULL, ";
  } else if (may_be_cut_off && needs_prefix(of)) {
    made.part += "(255)";
  }
  return made;
}

std::string add_index_sql(const mysql_connection& c, const mysql_table& t, column_index column, index_kind kind) {
  const mysql_column& of = t.columns[column - 1];
  const indexed_column made = make_indexable(c, t, column, kind == index_kind::tag);
  return alter_table(t.name) + made.modification + (kind == index_kind::key ? "ADD UNIQUE INDEX " : "ADD INDEX ") +
         quoted_name(made_index_name(of.name)) + " (" + made.part + ")";
}

std::string drop_index_sql(std::string_view table, std::string_view column) {
  return alter_table(table) + "DROP INDEX " + quoted_name(made_index_name(column));
}

mysql_table new_mysql_table(std::string_view name) {
  mysql_table t;
  t.name = name;
  t.own_id = true;
  return t;
}

mysql_column new_mysql_column(std::string_view name) {
  mysql_column c;
  c.name = name;
  c.facts.type = "longtext";
  c.length_max = 4'294'967'295;
  return c;
}

}  // namespace pubsubsql::storage::durable
