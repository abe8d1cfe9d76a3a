#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/durable/change_group.hpp"
#include "storage/durable/sqlite_database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/durable/store.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// Throws: the file is not as it should be.
[[noreturn]] void refuse_file(const std::string& why);

/// What to say of a data directory whose database has lost all that it had, if it has. Changes nothing.
[[nodiscard]] std::optional<std::string> find_emptied(const std::string& directory);

/// The tables of a data directory as a SQLite file holds them, and the journal for MySQL. Everything throws
/// sqlite_error. Not thread-safe; one process at a time has a directory (it is locked).
///
/// The file, `pubsubsql.db`:
///  - `tables`, `columns` and `indexes`: the catalog, one row for each. The column 0 of a table is there only when `id`
///    was declared with a type; `indexes` are the ordered ones.
///  - `rows_N`, for table number N: position, bytes and checksum of each row. The bytes are those of a row_view from
///  its
///    column count on, so that loading a row is a copy. Rows that the second version of the format wrote have no
///    checksum.
///  - `bindings` and `subscriptions`: what is bound to tables, and who has subscribed under a name.
///  - `history`: the latest changes of tables that keep them for subscribers that come back.
///  - `journal`: changes that MySQL has not got yet, in order, a transaction in one row. `refused`: journalled changes
///  that MySQL refused.
class sqlite_files {
 public:
  /// Opens or makes the directory, and brings one of an earlier version up to date. A file that is damaged, or not
  /// ours, or of a newer version, is refused.
  explicit sqlite_files(const std::string& directory);
  ~sqlite_files();
  sqlite_files(const sqlite_files&) = delete;
  sqlite_files& operator=(const sqlite_files&) = delete;

  /// Hands over the tables that `wanted` says yes to, all without it, with all rows. Rows that cannot be are an error:
  /// nothing is left out silently.
  void load(table_loader& to, const std::function<bool(std::string_view table)>& wanted = {});

  /// What the tables are, without their rows.
  [[nodiscard]] std::vector<table_description> descriptions() const;

  // Writing: begin, any number of the others, commit; or roll back.

  void begin();
  void commit();
  void roll_back();

  void apply(const statement_changes& s);
  /// Columns that the table has not got are added, and what a database outside says of all of them is kept. Indexes
  /// stay as they are.
  void extend_table(const table_description& d);
  /// The table is this, without rows, whatever it was, but for what a database outside may not know: how it keeps its
  /// latest changes, and named subscriptions. Returns what it is then. Changes that it has kept stay if it has got as
  /// far as it had, until load_history().
  table_description replace_table(const table_description& d);
  /// What a table of that name has kept of its changes. After replace_table() they are forgotten instead, unless the
  /// rows are the same as those before.
  void load_history(std::string_view table, table_loader& to);
  /// Adds a row. `values[i]` is column i; values[0] is ignored.
  void put_row(std::string_view table, row_position position, std::span<const value> values);
  void append_to_journal(const change_group& g);

  // The journal

  struct journal_entry {
    std::uint64_t number = 0;
    std::uint64_t at_ms = 0;                      ///< when it was written, since 1970
    std::shared_ptr<const change_group> changes;  ///< of one statement, or of a transaction
  };
  /// The first entries about tables that `wanted` says yes to: at most so many, and so many bytes or one. Of a
  /// transaction the first table is asked about.
  [[nodiscard]] std::vector<journal_entry> read_journal(const std::function<bool(std::string_view table)>& wanted,
                                                        std::size_t entries_max, std::size_t bytes_max);
  /// The tables that the journal drops, with the number of the last entry that does so.
  [[nodiscard]] text_map<std::uint64_t> journalled_drops();
  /// The tables that entries are about, of a transaction the first, with the number of the first entry.
  [[nodiscard]] text_map<std::uint64_t> journalled_tables();
  /// The tables of each transaction in the journal that changed several.
  [[nodiscard]] std::vector<std::vector<std::string>> journalled_groups();
  /// The statements in the journal that change the schema of a table that `wanted` says yes to, in order.
  [[nodiscard]] change_group journalled_schema_changes(const std::function<bool(std::string_view table)>& wanted);
  void erase_journal(std::span<const journal_entry> entries);
  void set_aside(const journal_entry& entry, const store_error& why);
  [[nodiscard]] std::uint64_t journal_size() const;
  [[nodiscard]] std::uint64_t refused_size() const;
  /// The highest number of a change of a table that is gone; 0: none is.
  [[nodiscard]] std::uint64_t numbers_used() const;
  /// What tells this directory's journal from any other's.
  [[nodiscard]] const std::string& journal_id() const { return journal_id_; }

 private:
  struct open_table {
    std::int64_t number = 0;
    sqlite_statement put;
    sqlite_statement erase;
    std::uint64_t next_id = 0;
    std::uint64_t sequence = 0;
    bool changed = false;
    /// Of the history, nothing up to this change is there.
    std::uint64_t history_after = 0;
  };

  void lock(const std::string& directory);
  void prepare_schema();
  void make_schema();
  void bring_up_to_date(std::int64_t version);
  void add_second_version();
  void add_third_version();
  void add_fourth_version();
  void add_fifth_version();
  void add_sixth_version();
  void note_tables() const;
  void check_pages() const;
  open_table& open(std::string_view name);
  open_table& create(const table_description& d);
  void add_column(std::int64_t table, column_index column, const table_description::column& c);
  void set_index(std::int64_t table, column_index column, index_kind kind);
  void add_ordered_index(std::int64_t table, std::size_t place, const index_description& index);
  void drop_ordered_index(std::int64_t table, std::size_t place);
  void add_binding(std::int64_t table, const binding_description& b);
  void drop_binding(std::int64_t table, const binding_description& b);
  void add_subscription(std::int64_t table, const subscription_description& s);
  void drop_subscription(std::string_view name);
  void acknowledge(const acknowledgement& a);
  void drop_table(std::string_view name);
  void apply(open_table& t, const change& c);
  void put_row(open_table& t, row_view row);
  // sqlite_files_history.cpp
  /// Tells the rows of a table from others.
  struct row_sums {
    std::int64_t rows = 0;
    std::int64_t sum = 0;  ///< of the rows' checksums
    bool operator==(const row_sums&) const = default;
  };
  [[nodiscard]] row_sums sums_of_rows(std::int64_t table) const;
  void set_history(std::int64_t table, const std::optional<parser::history_setting>& h);
  [[nodiscard]] static std::optional<parser::history_setting> read_history(const sqlite_statement& row, int column);
  void keep_history(open_table& t, const statement_changes& s);
  void load_history(std::int64_t number, std::string_view name, table_loader& to);
  void load_rows(std::int64_t number, std::string_view name, table_loader& to);
  [[nodiscard]] table_description read_description(const sqlite_statement& row) const;
  void read_columns(std::int64_t table, table_description& d) const;
  void read_indexes(std::int64_t table, table_description& d) const;
  void read_bindings(std::int64_t table, table_description& d) const;
  [[nodiscard]] std::vector<subscription_description> read_subscriptions(std::int64_t table) const;

  /// Closed when it goes, also when the constructor throws.
  struct lock_file {
    lock_file() = default;
    lock_file(const lock_file&) = delete;
    lock_file& operator=(const lock_file&) = delete;
    ~lock_file();
    int descriptor = -1;
  };

  lock_file lock_;  // outlives everything that uses the directory
  std::unique_ptr<sqlite_database> db_;
  text_map<open_table> open_tables_;
  text_map<row_sums> replaced_;  // what tables were whose latest changes may stay
  sqlite_statement put_journal_;
  sqlite_statement put_history_;
  sqlite_statement trim_history_;
  sqlite_statement acknowledge_;
  std::string journal_id_;
  std::string journal_bytes_;  // scratch
  std::string row_bytes_;      // scratch
};

}  // namespace pubsubsql::storage::durable
