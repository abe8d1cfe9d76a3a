#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "storage/durable/result_sorter.hpp"
#include "storage/durable/store.hpp"

namespace pubsubsql::server {

/// A store in memory that does as a script in the rows says. Its thread takes what waits as transactions of random
/// size.
///
///  - A row with a value that contains `refuse`: the statement is refused, and what follows on the table in the same
///    epoch dropped, as MySQL does.
///    So is whatever changes a table whose name begins with `refuse`.
///  - `break` anywhere in a transaction refuses each of its writes, as a full disk does.
///  - A value `round X` is stored as `X`: the statement is corrected.
class fake_store : public storage::durable::store {
 public:
  explicit fake_store(unsigned seed) : random_(seed) {}
  ~fake_store() override { stop(); }
  fake_store(const fake_store&) = delete;
  fake_store& operator=(const fake_store&) = delete;

  void start(storage::durable::result_handler on_results);
  /// Whether transactions are done; while held, writes only come together.
  void hold(bool held);
  /// Waits until so many writes have come in altogether.
  void wait_for_writes(std::size_t count);

  void submit(std::vector<storage::durable::write>& writes) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void stop() override;

  /// What is stored of a table: the rows in order, as "id:value,value;", without trailing NULLs. After stop().
  [[nodiscard]] std::string rows_of(const std::string& table) const;
  /// What went against the contract of stores: sequence numbers with gaps, say. After stop().
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct stored_table {
    std::map<storage::row_position, std::vector<storage::value>> rows;
    std::deque<std::string> texts;
    std::uint64_t sequence = 0;
    std::uint32_t dropped_epoch = 0;
  };

  void run();
  [[nodiscard]] bool is_dropped(const storage::durable::write& w);
  void commit(std::vector<storage::durable::write>& transaction);
  void commit_group(const storage::durable::write& w, bool broken, storage::durable::result_sorter& results);
  void apply(stored_table& t, const storage::durable::statement_changes& s);

  std::mt19937 random_;
  storage::durable::result_handler on_results_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<storage::durable::write> waiting_;  // this and the three below guarded by mutex_
  std::size_t submitted_ = 0;
  bool held_ = false;
  bool stopped_ = false;
  std::thread thread_;
  std::map<std::string, stored_table, std::less<>> tables_;  // the thread's
  std::vector<std::string> problems_;
};

}  // namespace pubsubsql::server
