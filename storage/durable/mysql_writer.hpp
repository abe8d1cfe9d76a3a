#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.hpp"
#include "storage/durable/mysql_catalog.hpp"
#include "storage/durable/mysql_connection.hpp"
#include "storage/durable/row_folding.hpp"
#include "storage/durable/statement_changes.hpp"

namespace pubsubsql::storage::durable {

/// Writes changes of tables over one connection. Everything throws mysql_error. Transactions are the caller's, but note
/// that MySQL ends one by itself at each change of a schema.
class mysql_writer {
 public:
  mysql_writer(mysql_connection& c, mysql_catalog& catalog) : connection_(c), catalog_(catalog) {}

  /// Writes the row changes of one table all together: each row once, many rows a statement. Returns false, and may
  /// have written some of it, when they have to be written one statement after the other, by write(): MySQL has stored
  /// something else than it was given, or they cannot be folded.
  [[nodiscard]] bool write_folded(std::string_view table, std::span<const change> changes);

  /// The same for changes that lie in several places. `awaited`: each statement has to be stored as if it were alone,
  /// so what MySQL would alter or refuse must not be passed over because a later statement changes the row again.
  [[nodiscard]] bool write_folded(std::string_view table, std::span<const statement_changes* const> statements,
                                  bool awaited);

  /// Writes one statement's row changes one after the other. Returns the rows as MySQL has stored them if it has stored
  /// any otherwise than it was given. `may_be_there`: rows may be there already as it writes
  /// them, and columns that MySQL computes are passed over.
  [[nodiscard]] std::optional<corrected_rows> write(const statement_changes& s, bool may_be_there = false);

  /// The same answer for a statement that was written before, over a connection that broke: the rows as they are now.
  [[nodiscard]] std::optional<corrected_rows> read_back(const statement_changes& s);

  /// Makes one change of a schema, or takes it back as far as that is possible: rows and values that went with a table
  /// or column do not come back. `may_be_there`: it may have been made before. Returns whether MySQL was changed: what
  /// was there already, or gone, may be others' work, and is not to be taken back.
  bool change_schema(std::string_view table, const change& c, bool may_be_there = false);
  void undo_schema_change(std::string_view table, const change& c);
  /// Whether a table or column that may have been made has what the change did not put there. It may be others', who
  /// have made one of that name.
  [[nodiscard]] bool is_used_by_others(std::string_view table, const change& c);

  /// A row's values as they are to be, by way of an upsert: whatever MySQL has at its address.
  void put_row(const mysql_table& t, row_view row);
  void erase_row(const mysql_table& t, row_view row);

 private:
  using parameter_list = std::vector<mysql_parameter>;
  using stored_row = corrected_rows::value_type;

  /// Folds the first of the statements, as many as are to be written together, and takes them off. False when they
  /// cannot be folded.
  [[nodiscard]] static bool fold_some(const mysql_table& t, std::span<const statement_changes* const>& statements,
                                      row_folding& folding);
  [[nodiscard]] bool write_operations(const mysql_table& t, const row_folding& folding);
  void erase_rows(const mysql_table& t, std::span<const row_view> rows);
  /// `assigned`: columns that were named for all these rows, rising.
  void insert_rows(const mysql_table& t, std::span<const column_index> assigned, std::span<const row_view> rows);
  void update_rows(const mysql_table& t, std::span<const column_index> assigned, std::span<const row_view> rows);
  void write_fronts(const mysql_table& t, std::span<const row_operation> operations);
  void set_front(const mysql_table& t, row_view row, bool there);
  [[nodiscard]] bool stored_as_given(const mysql_table& t, std::span<const row_operation> operations);
  [[nodiscard]] bool stored_as_given(const mysql_table& t, std::span<const row_view> rows);

  void insert_row(const mysql_table& t, const change& c, bool may_be_there);
  [[nodiscard]] bool has_row(const mysql_table& t, const change& inserted);
  void update_row(const mysql_table& t, const change& c, bool may_be_there);
  [[nodiscard]] std::optional<stored_row> read_back(const mysql_table& t, row_view row, bool generated_address);
  [[nodiscard]] std::optional<stored_row> read_bound_row(const mysql_table& t);
  [[nodiscard]] std::optional<stored_row> read_row(const mysql_table& t, row_view row);
  [[nodiscard]] static stored_row as_given(const mysql_table& t, row_view row);
  [[nodiscard]] static bool differs(const mysql_table& t, row_view row, const stored_row& stored);

  /// Runs a statement over many rows in pieces of as few sizes as possible, so that few are prepared:
  /// `sql(rows in the piece)`, `bind_row(row, parameters)`.
  template <typename Sql, typename BindRow>
  void execute_in_pieces(std::span<const row_view> rows, std::size_t parameters_per_row, Sql&& sql, BindRow&& bind_row);
  /// Throws if MySQL's table, as it has become, does not take the change.
  static void require_writable(const mysql_table& t, const change& c);
  [[noreturn]] static void throw_column_is_gone(const mysql_table& t);
  bool make(const std::string& sql, bool may_be_there);
  bool take_away(const std::string& sql);
  bool create_table(std::string_view table, const table_description* declared, bool may_be_there);
  [[nodiscard]] bool add_column(std::string_view table, const change& c, bool may_be_there);
  void drop_column(std::string_view table, const change& c);
  void undo_drop_column(std::string_view table, const change& c);
  void bind_columns(parameter_list& out, const mysql_table& t, std::span<const column_index> columns, row_view row);
  void bind(parameter_list& out, const mysql_column& c, const value& v);
  void bind_address(parameter_list& out, const mysql_table& t, row_view row);

  mysql_connection& connection_;
  mysql_catalog& catalog_;
  parameter_list parameters_;        // scratch
  std::deque<std::string> scratch_;  // what parameters_ points to where it had to be made
};

}  // namespace pubsubsql::storage::durable
