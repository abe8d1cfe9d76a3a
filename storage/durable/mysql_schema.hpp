#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/durable/mysql_connection.hpp"
#include "storage/outcome.hpp"
#include "storage/table.hpp"

/// Tables of a MySQL database: reading what they are, and making and changing them.
namespace pubsubsql::storage::durable {

/// How a column's values pass between MySQL and memory, where all is text.
enum class mysql_form : std::uint8_t {
  text,      ///< as it is
  bytes,     ///< binary, varbinary, blobs, geometry, vector: 0x and lower-case hexadecimal digits
  bits,      ///< bit: a whole number, as MySQL reckons with it; 0x and hexadecimal digits are taken as well
  floating,  ///< float: the shortest text that gives the same float again
};

struct mysql_column {
  std::string name;
  column_facts facts;
  mysql_form form = mysql_form::text;
  /// MySQL has no such column: it keeps the place of one that was dropped.
  bool dropped = false;
  bool generated = false;  ///< MySQL computes it; it cannot be written
  bool auto_increment = false;
  /// Whether MySQL may store something other than the text it was given: anything but Unicode text of varying length.
  bool may_alter = false;
  bool has_default = false;       ///< other than NULL
  bool computed_default = false;  ///< it is an expression
  /// Character types: how long a text may be, in characters for char and varchar, otherwise in bytes; 0: no such type.
  std::uint64_t length_max = 0;
  std::string collation;                     ///< of a text column; empty: of one that new_mysql_column() made
  index_kind index = index_kind::none;       ///< what the column is by all its indexes
  index_kind made_index = index_kind::none;  ///< by that which `key` or `tag` made; only of a declared table
};

[[nodiscard]] inline bool is_writable(const mysql_column& c) {
  return !c.generated && !c.dropped;
}

/// A table as MySQL has it and as the engine mirrors it.
///
/// `columns[i]` is the engine's column i + 1, so the integer primary key `id` that serves as the engine's own id is not
/// among them.
struct mysql_table {
  std::string name;
  std::vector<mysql_column> columns;
  /// The table's primary key is one integer column named `id` without negative values: it serves as our id.
  bool own_id = false;
  /// Another column is named `id` (in any case).
  bool hides_id = false;
  /// Which columns, by the engine's numbers, address a row: empty with own_id; otherwise the primary key's, or those of
  /// a unique index that allows no NULL. Empty without own_id: rows cannot be addressed.
  std::vector<column_index> address;
  /// Those over several columns, by name; of a declared table all but what `key` and `tag` made.
  std::vector<index_description> indexes;
  std::optional<column_facts> id_facts;  ///< of an own id, where the table was made by `create table`
  bool declared = false;                 ///< made by `create table` of this server: it says so in its comment
  bool has_triggers = false;             ///< as far as the login may see them: that takes the right TRIGGER
  /// The id after all that were given: AUTO_INCREMENT of an own id, and beyond every id there is. 0 without own_id.
  std::uint64_t next_id = 0;
  std::string read_only_reason;  ///< empty: rows can be written

  /// Whether rows have to be read back after a write because MySQL may have stored other values than it was given. What
  /// may_be_cut() tells of single values comes on top.
  [[nodiscard]] bool needs_read_back() const;
  [[nodiscard]] table_description description() const;
  /// The engine's column of exactly that name: id_column for `id`, unless it is hidden.
  [[nodiscard]] std::optional<column_index> find(std::string_view column) const;
};

/// The tables of the connection's database (base tables, no views), without those of our own (pubsubsql_*). `only`:
/// names wanted; empty: all. It reads inside a transaction, as any SELECT does: end it, or it keeps others from
/// changing those tables. Throws mysql_error.
[[nodiscard]] std::vector<mysql_table> read_tables(mysql_connection& c, std::span<const std::string> only);
/// One table, or nothing when there is none of that name.
[[nodiscard]] std::optional<mysql_table> read_table(mysql_connection& c, std::string_view name);

/// Pairs of tables of the connection's database of which the first has a foreign key to the second. Throws mysql_error.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> read_foreign_keys(mysql_connection& c);

/// The list of columns for a SELECT that gives, for each row, the id (only with own_id), then every column in order, in
/// forms that from_mysql() understands. Numbers and times come as MySQL writes them also from a prepared statement,
/// where the connector would write them.
[[nodiscard]] std::string select_list(const mysql_table& t);
/// `ORDER BY ...` for rows in the order of their address; empty when they have none.
[[nodiscard]] std::string order_by_address(const mysql_table& t);
/// What stands for a value of the column among the VALUES of an INSERT or in the SET of an UPDATE: one `?`, for what
/// to_mysql() gives, and what it takes around it.
[[nodiscard]] std::string_view placeholder(const mysql_column& column);
/// The condition for one row by its address, with a `?` for the id or for each column of `address`, in order. Compares
/// exactly where `column = ?` would compare as floating-point numbers. REQUIRES: rows can be addressed.
[[nodiscard]] std::string address_condition(const mysql_table& t);

/// A column's value as MySQL gives it by select_list(), as memory holds it. `scratch` holds it where it had to be made.
[[nodiscard]] value from_mysql(mysql_form form, const value& v, std::string& scratch);
/// The other way round, as a parameter.
[[nodiscard]] value to_mysql(mysql_form form, const value& v, std::string& scratch);
/// Whether MySQL would store a text without some of the spaces at its end, which it does even in strict mode with a
/// text that is only for its spaces too long.
[[nodiscard]] bool may_be_cut(const mysql_column& column, const value& v);

/// The collation of what this server makes: only equal texts are equal under it, as far as the server has such a one.
[[nodiscard]] std::string_view made_collation(bool is_mariadb, unsigned server_version);

/// A table that this server makes: `id BIGINT` as primary key, keys and tags VARCHAR(255) with an index, others
/// LONGTEXT; utf8mb4 with a collation under which only equal texts are equal, InnoDB.
[[nodiscard]] std::string create_table_sql(const mysql_connection& c, std::string_view table);
/// What the comment of a table says that was declared.
inline constexpr std::string_view declared_comment = "made by create table of pubsubsql";
/// What the comment of a declared table's id says where statements give it.
inline constexpr std::string_view given_id_comment = "given by statements";
/// What the comment of a declared table's column says that has no type.
inline constexpr std::string_view untyped_comment = "without a type";
/// How the comment goes on, or begins, where the default is computed or bytes; it follows.
inline constexpr std::string_view default_comment = "default ";
/// A table as described, indexes included: with a primary key `id` only when it shows one and has no other. Columns
/// without a type are as those of the tables above. Throws mysql_error when MySQL could not tell its rows.
[[nodiscard]] std::string create_table_sql(const mysql_connection& c, const table_description& d);
[[nodiscard]] std::string drop_table_sql(std::string_view table);
/// `facts`: nullptr: nothing is declared of it.
[[nodiscard]] std::string add_column_sql(const mysql_connection& c, const mysql_table& t, std::string_view column,
                                         const column_facts* facts);
[[nodiscard]] std::string drop_column_sql(std::string_view table, std::string_view column);
/// One ALTER TABLE that makes a column a `key` or `tag`: a LONGTEXT becomes VARCHAR(255) as well, if that is all there
/// is to it. REQUIRES: column is not id_column, kind is not none.
[[nodiscard]] std::string add_index_sql(const mysql_connection& c, const mysql_table& t, column_index column,
                                        index_kind kind);
/// Drops the index that add_index_sql() made.
[[nodiscard]] std::string drop_index_sql(std::string_view table, std::string_view column);
/// The name of the index that this server puts on a column. Long ones are cut, and told apart by a hash.
[[nodiscard]] std::string made_index_name(std::string_view column);

/// A column as a part of an index, and what an ALTER TABLE has to do to it before, if anything, with a comma behind.
struct indexed_column {
  std::string modification;
  std::string part;
};
/// `may_be_cut_off`: the index need not see all of a long text.
[[nodiscard]] indexed_column make_indexable(const mysql_connection& c, const mysql_table& t, column_index column,
                                            bool may_be_cut_off);

/// The same for an index with a name, over one or more columns. REQUIRES: none is dropped.
[[nodiscard]] std::string add_index_sql(const mysql_connection& c, const mysql_table& t,
                                        const index_description& index);
[[nodiscard]] std::string drop_index_sql(std::string_view table, std::string_view index, parser::index_type type);

/// What a table made by create_table_sql() is, before its first column.
[[nodiscard]] mysql_table new_mysql_table(std::string_view name);
/// A column as add_column_sql() makes it.
[[nodiscard]] mysql_column new_mysql_column(std::string_view name);

}  // namespace pubsubsql::storage::durable
