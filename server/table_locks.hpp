#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// A transaction; the number is never used again. 0: none.
enum class transaction_id : std::uint64_t {};

/// Which transactions have, or wait for, which tables: finds deadlocks, and lets `mysql connect` wait until no
/// transaction runs. The tables themselves are kept for a transaction by their queues (table_queue). Shared by all
/// workers and thread-safe; only transactions use it.
///
/// Invariants:
///  1. The order of a table's list is the order in its queue: the first has the table or is the next to get it.
///  2. A transaction waits for at most one table, the last it has asked for.
///  3. No transaction waits for itself, directly or through others.
class table_locks {
 public:
  /// A number for a new transaction.
  [[nodiscard]] transaction_id make_id();

  /// To be called before a transaction asks for its first table. False: it has to wait until `when_open` is called, on
  /// any thread.
  [[nodiscard]] bool enter(transaction_id who, std::function<void()> when_open);

  /// Puts a transaction behind those that have or want the table. False, and nothing is changed: they wait for it.
  /// REQUIRES: it has entered; it waits for no other table.
  [[nodiscard]] bool want(transaction_id who, std::string_view table);

  /// The transaction does not have, or want, the table any more. One without any table has left.
  void release(transaction_id who, std::string_view table);

  /// A transaction that has entered and asked for nothing leaves.
  void leave(transaction_id who);

  /// From here on no transaction may enter, until open().
  void close();
  void open();
  /// Waits until no transaction is in. False: the time was up before.
  [[nodiscard]] bool wait_until_empty(std::chrono::milliseconds at_most);

 private:
  struct member {
    std::string wanted;      // the last table asked for
    std::size_t tables = 0;  // it has or wants
  };

  [[nodiscard]] bool waits_for(transaction_id first, transaction_id sought) const;
  void forget(transaction_id who);

  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::uint64_t last_id_ = 0;
  storage::text_map<std::vector<transaction_id>> tables_;
  absl::flat_hash_map<transaction_id, member> members_;
  bool closed_ = false;
  std::vector<std::function<void()>> when_open_;
};

}  // namespace pubsubsql::server
