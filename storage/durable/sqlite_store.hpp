#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/durable/result_sorter.hpp"
#include "storage/durable/sqlite_files.hpp"
#include "storage/durable/store.hpp"
#include "storage/durable/write_queue.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// The embedded store: one thread that writes everything that waits as one transaction, over and over (group commit).
///
/// When SQLite cannot write (a full disk), awaited writes are refused and the others tried again until they are in.
/// With `always_retry` none is refused: MySQL, before it on the way, has them already.
class sqlite_store : public store {
 public:
  struct settings {
    bool always_retry = false;
    /// Bytes of changes in one transaction: more would make the first of them wait, and less would cost throughput.
    std::size_t transaction_bytes_max = 8U << 20;
  };

  /// Takes over the directory; starts no thread.
  sqlite_store(const std::string& directory, const settings& s);
  ~sqlite_store() override;

  /// Before start().
  [[nodiscard]] sqlite_files& files() { return files_; }
  void start(result_handler on_results);

  /// Changes settings::always_retry. From any thread.
  void always_retry(bool on) { always_retry_ = on; }

  void submit(std::vector<write>& writes) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return queue_.bytes(); }
  [[nodiscard]] std::size_t queued_writes() const { return queue_.size(); }
  void stop() override;

  /// Runs `work` on the store's thread in a transaction of its own, after everything submitted before, and waits for
  /// it. Before start() it runs at once. `work` may throw sqlite_error, which is thrown here; then nothing of it is
  /// left. Not to be called by that thread.
  void run_in_transaction(const std::function<void(sqlite_files&)>& work);

  /// What tells this data directory from all others. From any thread.
  [[nodiscard]] const std::string& id() const { return files_.journal_id(); }
  /// Statements in the journal.
  [[nodiscard]] std::uint64_t journalled() const { return journalled_.load(std::memory_order_relaxed); }

  /// How it is doing. From any thread.
  struct status {
    std::size_t waiting_changes = 0;
    std::chrono::milliseconds lag{0};  ///< age of the oldest that waits
    std::uint64_t journalled = 0;
    std::uint64_t commits = 0;
    std::uint64_t errors = 0;  ///< transactions that could not be written
  };
  [[nodiscard]] status current() const {
    return {.waiting_changes = queue_.size(),
            .lag = queue_.oldest_age(),
            .journalled = journalled(),
            .commits = commits_.load(std::memory_order_relaxed),
            .errors = errors_.load(std::memory_order_relaxed)};
  }

  /// What is wrong with the store at the moment; empty: nothing.
  [[nodiscard]] std::string last_error() const;

 private:
  void run();
  void commit(std::vector<write>& writes);
  void write_all(const std::vector<write>& writes);
  void on_failure(std::vector<write>& writes, const store_error& why, bool may_pass);
  [[nodiscard]] bool is_void(const write& w) const;
  void do_job(const std::function<void(sqlite_files&)>& work);
  void report(const std::string& problem);

  settings settings_;
  sqlite_files files_;
  write_queue queue_;
  std::unique_ptr<result_sorter> results_;
  /// The first write of a table that was refused in its epoch. Those behind it in that epoch are void; those before it
  /// were acknowledged when in memory, and are tried until they are in.
  struct refusal {
    std::uint32_t epoch = 0;
    std::uint64_t ticket = 0;
  };
  text_map<refusal> refusals_;  // by table
  std::atomic<std::uint64_t> journalled_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  std::atomic<bool> always_retry_;
  mutable std::mutex error_mutex_;
  std::string last_error_;  // guarded by error_mutex_
  std::thread thread_;
};

}  // namespace pubsubsql::storage::durable
