#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/durable/mysql_lane.hpp"
#include "storage/durable/sqlite_store.hpp"
#include "storage/durable/store.hpp"
#include "storage/table_differences.hpp"

namespace pubsubsql::storage::durable {

/// MySQL as a store: some lanes, each with tables of its own, so that the order of a table's changes is kept. Tables
/// that are changed in one transaction get one lane, so that it is one transaction there.
class mysql_store : public store {
 public:
  struct settings {
    mysql_lane::settings lane;
    unsigned lanes = 2;
    /// Tables to take over; empty: all.
    std::vector<std::string> tables;
  };

  /// `journal` outlives this; nullptr: none.
  mysql_store(settings s, sqlite_store* journal);
  ~mysql_store() override;

  // Before start()

  /// Connects, and delivers what the journal holds. Throws mysql_error.
  void connect();
  /// A table is taken over even if it is none of those asked for: it is here already.
  void take_also(const std::string& table);
  /// What the engine calls the columns of a table that was not loaded from MySQL.
  void set_columns(const table_description& d);
  // REQUIRES: connect() succeeded. Throw mysql_error.

  /// Hands over the tables that `wanted` says yes to, all without it, and their rows. A row the loader does not take is
  /// an error too.
  void load(table_loader& to, const std::function<bool(std::string_view table)>& wanted = {});
  /// Whose rows count when a table of MySQL's is in memory, or in the data directory, as well.
  enum class lead : std::uint8_t {
    mysql,    ///< it has got all changes, and may have been changed by others
    memory,   ///< MySQL has not got all changes, or is empty
    unknown,  ///< they have never been one table: each may have rows of its own
  };
  /// `sequence` is how far memory has got. REQUIRES: MySQL has such a table.
  [[nodiscard]] lead who_leads(std::string_view table, std::uint64_t sequence);
  /// The tables to take over.
  [[nodiscard]] std::vector<mysql_table> tables();
  /// The engine's description of one. It is not ours before start(): see claim().
  [[nodiscard]] table_description describe(const mysql_table& t);
  /// Streams a table's rows, as read_rows() does.
  void read(const mysql_table& t,
            const std::function<void(row_position position, std::span<const value> values)>& on_row);
  [[nodiscard]] bool has_rows(std::string_view table);
  /// See mysql_positions::has_former(). REQUIRES: there is a data directory, or MySQL has had its table from this
  /// server.
  [[nodiscard]] bool has_former(const table& t);
  /// The number of the last change of a table that MySQL has; 0: it has none.
  [[nodiscard]] std::uint64_t arrived(std::string_view table);
  /// Whether MySQL has the table. Gives up what an error has left of a transaction.
  [[nodiscard]] bool has_table(std::string_view table);
  /// Whether a table in memory has the same rows, as far as it has MySQL's columns, and no others; changes nothing.
  [[nodiscard]] bool is_same(const table& t);
  struct comparison {
    table_description description;  ///< memory's columns, and behind them those that only MySQL has
    table_differences differences;
  };
  /// How a table in memory differs, MySQL having been given the columns it had not; it has to stay as it is meanwhile,
  /// and also until start(). `rows`: they are compared too.
  [[nodiscard]] comparison compare_with(const table& t, bool rows = true);
  /// Makes a table in MySQL what it is in memory, creating it if it is not there. `may_be_former`: it replaces a former
  /// one, see has_former(). Columns that only MySQL has stay as they are. When it fails, who_leads() says that memory
  /// does, so that it can be done again. Returns whether MySQL has all as it was given, and no more columns.
  bool overwrite(const table& t, bool may_be_former);
  /// Changes of a table that MySQL does not take as it is are refused with this, until it is dropped.
  void refuse(std::string_view table, const mysql_error& why) { lane_of(table).catalog().refuse(table, why); }
  /// MySQL's table and memory's are one and the same from start() on, whatever MySQL said of it before.
  void claim(std::string_view table, std::uint64_t next_id, std::uint64_t sequence);
  /// The table is in the data directory as described, and changes of it were acknowledged that MySQL may not have: when
  /// MySQL is there it has to be seen whether it has others. Before connect() or start().
  void verify(const table_description& d) { unverified_.add(d); }

  void start(const result_handler& on_results, const correction_handler& on_correction);

  // After stop()

  /// Saves what the tables keep of their changes, for a server without a data directory that loads them next; those
  /// whose columns are not MySQL's as they stand are left out. Returns how many were saved. REQUIRES: each keeps
  /// changes, and MySQL has got all. Throws mysql_error.
  std::size_t save_histories(std::span<const table* const> tables);

  // From any thread

  void submit(std::vector<write>& writes) override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  void stop() override;

  /// How all lanes together are: offline as soon as one is, with its error, and the longest lag.
  [[nodiscard]] mysql_lane::status current() const;
  /// What tells the data directory behind it from others; empty: there is none.
  [[nodiscard]] std::string_view origin() const { return journal_ == nullptr ? std::string_view() : journal_->id(); }
  [[nodiscard]] std::string shown_address() const { return settings_.lane.address.shown(); }
  /// A connection apart from the lanes'. Throws mysql_error.
  [[nodiscard]] mysql_connection connect_another() const { return {settings_.lane.address, settings_.lane.connection}; }
  /// The lane that writes a table.
  [[nodiscard]] mysql_lane& lane_of(std::string_view table);

 private:
  void load_table(mysql_connection& c, const mysql_table& t, table_loader& to);
  void join_tied_tables();
  void prepare();
  void submit_group(write&& w);

  settings settings_;
  table_lanes lane_numbers_;
  unverified_tables unverified_;
  std::mutex moves_mutex_;  // one transaction at a time moves tables to its lane
  std::vector<std::pair<std::string, std::vector<catalog_column>>> told_columns_;
  bool prepared_ = false;
  sqlite_store* journal_;
  std::vector<std::unique_ptr<mysql_lane>> lanes_;
};

/// Streams a table's rows in the order of their places. `on_row` gets the values by column, values[0] not set.
void read_rows(mysql_connection& c, const mysql_table& t,
               const std::function<void(row_position position, std::span<const value> values)>& on_row);

/// The engine's description of a table: with what our own tables in MySQL say about it.
[[nodiscard]] table_description describe(mysql_positions& positions, const mysql_table& t);

}  // namespace pubsubsql::storage::durable
