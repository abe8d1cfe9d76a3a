#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/durable/mysql_schema.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// What the engine calls a column.
struct catalog_column {
  std::string name;
  bool dropped = false;  ///< it keeps its place; MySQL has none, unless it has not been told yet
};

/// All but `id`, in order.
[[nodiscard]] std::vector<catalog_column> catalog_columns(const table_description& d);

/// The tables that one connection writes, as MySQL has them with the engine's order of columns. Used by one thread.
class mysql_catalog {
 public:
  /// What the engine calls the columns of a table, in its order, `id` left out. To be told before the table is used
  /// when the engine's table comes from elsewhere than MySQL.
  void set_columns(std::string_view table, std::vector<catalog_column> columns);

  /// The table; read from MySQL when it is not known yet. Throws mysql_error, with MySQL's own code when there is no
  /// such table.
  mysql_table& get(mysql_connection& c, std::string_view table);
  /// What the engine calls its columns, if that is known.
  [[nodiscard]] std::optional<std::vector<catalog_column>> columns_known(std::string_view table) const;
  void put(mysql_table t);
  void erase(std::string_view table);
  /// A column that had been dropped is there again; what the table looks like is forgotten.
  void restore_column(std::string_view table, column_index column, std::string_view name);
  /// From now on get() throws this error for the table, until it is accepted.
  void refuse(std::string_view table, const mysql_error& why);
  void accept(std::string_view table);
  [[nodiscard]] std::optional<mysql_error> refusal(std::string_view table) const;
  /// Forgets what a table looks like.
  void reread(std::string_view table);
  /// Forgets what tables look like; they are read again when they are used.
  void forget();

 private:
  text_map<mysql_table> tables_;
  text_map<std::vector<catalog_column>> columns_;
  text_map<mysql_error> refused_;
};

}  // namespace pubsubsql::storage::durable
