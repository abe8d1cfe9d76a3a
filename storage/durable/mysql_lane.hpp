#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/durable/mysql_catalog.hpp"
#include "storage/durable/mysql_connection.hpp"
#include "storage/durable/mysql_positions.hpp"
#include "storage/durable/mysql_writer.hpp"
#include "storage/durable/result_sorter.hpp"
#include "storage/durable/sqlite_store.hpp"
#include "storage/durable/store.hpp"
#include "storage/durable/table_handover.hpp"
#include "storage/durable/table_lanes.hpp"
#include "storage/durable/unverified_tables.hpp"
#include "storage/durable/write_queue.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// One connection to MySQL with its thread, and the tables that are written over it.
///
/// Everything that waits becomes one transaction: all rows together, and only when MySQL refuses something one
/// statement after the other, so that the refused one is found and its neighbours go in.
///
/// When MySQL is away, the lane connects again, with growing pauses. Meanwhile writes go into the journal, if there is
/// one (`journal`), and are written in order when MySQL is back, before the lane is online again. Without a journal
/// awaited writes are refused at once; the others wait in the queue, whose length is bounded by those who submit.
class mysql_lane {
 public:
  struct settings {
    mysql_address address;
    mysql_connection::settings connection;
    std::chrono::milliseconds retry_first{200};
    std::chrono::milliseconds retry_last{10'000};
    /// How long there may be nothing to write before the lane looks whether MySQL is still there.
    std::chrono::milliseconds ping_after{2'000};
    /// After such a pause it looks before it writes: MySQL may have been restarted meanwhile.
    std::chrono::milliseconds ping_before_use_after{500};
    /// How long until it is tried again to deliver what a missing right has held up.
    std::chrono::milliseconds retry_blocked{2'000};
    /// Bytes of changes in one transaction.
    std::size_t transaction_bytes_max = 4U << 20;
  };
  /// `journal` is the next store on the way of writes; nullptr: there is none, and MySQL's word is the last.
  /// `number`: which of the lanes this is; `lanes` and `unverified`, which all lanes share, outlive it.
  mysql_lane(const settings& s, unsigned number, const table_lanes& lanes, unverified_tables& unverified,
             sqlite_store* journal);
  ~mysql_lane();
  mysql_lane(const mysql_lane&) = delete;
  mysql_lane& operator=(const mysql_lane&) = delete;

  // Before start()

  [[nodiscard]] mysql_catalog& catalog() { return catalog_; }
  /// What the engine calls the columns of a table that is not loaded from MySQL, after all that the journal has of it.
  void tell_columns(std::string_view table, std::vector<catalog_column> columns) {
    told_columns_.insert_or_assign(std::string(table), std::move(columns));
  }
  /// Connects, makes our tables, and delivers what the journal holds. Throws mysql_error and sqlite_error.
  void connect();
  /// REQUIRES: connect() succeeded.
  [[nodiscard]] mysql_connection& connection() { return *connection_; }

  /// Once started, it tells MySQL that a table is ours, and how far it has got, before it writes anything. An outage
  /// only delays it.
  void claim(std::string_view table, std::uint64_t next_id, std::uint64_t sequence) {
    claims_.push_back({std::string(table), next_id, sequence});
  }

  void start(result_handler on_results, correction_handler on_correction);

  // From any thread

  void submit(std::vector<write>& writes) { queue_.push(writes); }
  void stop();

  struct status {
    bool online = false;
    std::size_t waiting_changes = 0;
    std::chrono::milliseconds lag{0};  ///< age of the oldest that waits
    std::string last_error = {};       ///< of the last outage; empty: there was none
    std::uint64_t transactions = 0;
    std::uint64_t statements = 0;
    std::uint64_t outages = 0;  ///< connections lost
    std::uint64_t refused = 0;  ///< awaited by nobody any more, so memory and MySQL differ
    std::string last_refusal = {};
    std::string blocked = {};  ///< tables whose journal waits for a right, and what to do; empty: none
  };
  [[nodiscard]] status current() const;
  [[nodiscard]] std::size_t queued_bytes() const { return queue_.bytes(); }
  /// Whether what the journal has of a table waits for a right. REQUIRES: start() was not called.
  [[nodiscard]] bool is_blocked(std::string_view table) const { return blocked_.contains(table); }

  /// Runs work on the lane's thread, after everything submitted before, and waits for it. It may throw mysql_error,
  /// which is thrown here, as it is when MySQL is away.
  void run(const std::function<void(mysql_connection&, mysql_catalog&)>& work);

 private:
  using clock = std::chrono::steady_clock;

  void run();
  void reconnect();
  void do_jobs(std::span<const write_queue::job> jobs);
  void ping();
  void lose_connection(const mysql_error& e);
  [[nodiscard]] bool is_online() const { return online_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::chrono::milliseconds longest_wait() const;

  void take(std::vector<write>& writes);
  void write_online(std::span<write> writes);
  void write_rows(std::span<write> writes);
  [[nodiscard]] bool write_rows_folded(std::span<write> writes);
  void write_rows_one_by_one(std::span<write> writes);
  /// Changes of schemas that MySQL has made, in order.
  using made_changes = std::vector<std::pair<const statement_changes*, const change*>>;
  // mysql_lane_settings.cpp
  void store_setting(const statement_changes& s, const change& c);
  void revert_setting(const statement_changes& s, const change& c);
  void store_acknowledgements(std::span<const statement_changes* const> statements);

  void write_schema_change(write& w);
  void change_schema(const write& w, made_changes& made);
  void undo_schema(const made_changes& made);
  /// What MySQL has stored otherwise than a statement had it.
  struct correction {
    std::shared_ptr<const statement_changes> written;
    corrected_rows rows;
  };
  [[nodiscard]] std::vector<correction> write_statements(const write& w);
  void commit(std::span<const statement_changes* const> statements);
  void put_off(std::span<write> all);
  void keep(std::vector<write>& writes, bool doubtful);
  void forward(std::span<write> writes);
  void refuse(write& w, const store_error& why);
  void correct(write& w, std::vector<correction> corrections);
  [[nodiscard]] bool is_void(const write& w) const;

  // mysql_lane_recovery.cpp
  void take_told_columns();
  bool deliver_journal_piece();
  void finish_journal_piece(std::span<const sqlite_files::journal_entry> entries);
  [[nodiscard]] bool is_blocked(const write& w) const;
  bool block_together(std::span<const std::string_view> tables);
  void block_with_groups(std::span<const std::vector<std::string>> groups);
  [[nodiscard]] std::vector<write> writes_of(std::span<const sqlite_files::journal_entry> entries,
                                             const text_map<std::uint64_t>& drops, change_group& arrived);
  void correct_arrived(std::span<const std::shared_ptr<const statement_changes>> arrived);
  void block(std::string_view table, const mysql_error& why);
  void unblock();
  void retry_blocked();
  void forget_postponed_that_arrived();
  void deliver_postponed();
  void make_claims();
  void revert_doubtful();
  void revert(const statement_changes& s);
  void revert_drop(const statement_changes& s);
  void give(table_handover& tables);
  [[nodiscard]] bool take_over(write& w);
  [[nodiscard]] bool has_arrived(const statement_changes& s);
  std::uint64_t& arrived_sequence(std::string_view table);

  // mysql_lane_overwriting.cpp
  [[nodiscard]] bool overwrite_where_mysql_is_ahead(std::span<const write> writes);
  [[nodiscard]] bool follows_what_arrived(const statement_changes& s);
  void overwrite_with_copy(const std::string& name);
  [[nodiscard]] std::size_t make_equal(const table& copy);
  [[nodiscard]] bool overwrite_or_block(std::string_view name);
  void verify_tables();
  struct both_sides {
    text_map<mysql_table> in_mysql;
    text_map<std::uint64_t> journalled;  ///< see sqlite_files
    text_map<std::uint64_t> drops;       ///< see sqlite_files
  };
  [[nodiscard]] both_sides read_both_sides();
  void take_computed_values(const mysql_table& there);
  [[nodiscard]] bool has_parted(const unverified_tables::entry& of, const mysql_table* theirs, const both_sides& sides);
  [[nodiscard]] bool is_made_by_journal(std::string_view table);
  [[nodiscard]] bool lacks_columns(const mysql_table& there, std::span<const catalog_column> columns);

  void set_error(std::string& target, const std::string& text);

  settings settings_;
  unsigned number_;
  const table_lanes& lanes_;
  unverified_tables& unverified_;
  sqlite_store* journal_;
  write_queue queue_;
  std::unique_ptr<result_sorter> results_;
  correction_handler on_correction_;

  std::unique_ptr<mysql_connection> connection_;
  mysql_catalog catalog_;
  std::unique_ptr<mysql_writer> writer_;
  std::unique_ptr<mysql_positions> positions_;
  text_map<std::uint64_t> arrived_;  // by table: what MySQL's positions say; read when needed, for one connection

  text_map<std::vector<catalog_column>> told_columns_;  // which the catalog has from the first connection on

  std::vector<claimed_table> claims_;  // still to be made
  text_map<std::uint32_t> void_epochs_;
  std::size_t finished_ = 0;   // of the writes at hand: dealt with
  bool committing_ = false;    // MySQL has been asked to commit, or to do what commits by itself, and has not answered
  bool delivering_ = false;    // the writes at hand come from the journal
  bool redelivering_ = false;  // the writes at hand were postponed
  std::vector<std::pair<std::uint64_t, store_error>> set_aside_;  // entries of the journal that were refused
  /// Tables whose journal cannot be delivered until the login may change them: all that comes for them goes there.
  text_map<std::string> blocked_;      // by name: why
  text_map<std::string> was_blocked_;  // the same before it is tried again
  clock::time_point retry_blocked_at_{};
  std::vector<write> postponed_;  // nobody waits for them, and MySQL is away
  std::vector<write> doubtful_;   // refused because the connection broke while MySQL may have been committing them
  store_error outage_;
  clock::time_point last_use_{};  // of the connection, when it was known to be well
  clock::time_point next_attempt_{};
  std::chrono::milliseconds pause_{0};

  std::atomic<bool> online_ = false;
  std::atomic<clock::rep> offline_since_ = 0;
  std::atomic<std::uint64_t> transactions_ = 0;
  std::atomic<std::uint64_t> statements_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> outages_ = 0;
  mutable std::mutex error_mutex_;
  std::string last_error_;    // guarded by error_mutex_
  std::string last_refusal_;  // guarded by error_mutex_
  std::string blocked_text_;  // guarded by error_mutex_
  std::thread thread_;
};

}  // namespace pubsubsql::storage::durable
