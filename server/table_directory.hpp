#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// Which worker each table lives on, and which table each named subscription is to: both share one namespace, so that
/// `ack NAME` means one of the two. A table is placed when a statement that may create it first names it, and stays.
/// Shared by all workers and thread-safe; workers keep what they learnt (see router), so the lock is taken about once
/// per table and worker.
class table_directory {
 public:
  table_directory(unsigned workers, std::size_t tables_max) : tables_of_(workers), tables_max_(tables_max) {}

  /// The worker of a placed table.
  [[nodiscard]] std::optional<unsigned> find(std::string_view table) const;

  /// Places the table on the worker with the fewest, in doubt on `preferred`. Nothing when there are too many tables,
  /// or a subscription has the name.
  [[nodiscard]] std::optional<unsigned> find_or_place(std::string_view table, unsigned preferred);

  /// The table of a named subscription.
  [[nodiscard]] std::optional<std::string> table_of_subscription(std::string_view name) const;
  /// Whether a subscription to the table may have this name. If so, it is taken until set_subscriptions(). Nothing: it
  /// may; otherwise why not.
  [[nodiscard]] std::optional<std::string> claim_subscription(std::string_view name, std::string_view table);
  /// These are the named subscriptions to a table now. Those whose names are in use elsewhere are left out and
  /// returned.
  std::vector<std::string> set_subscriptions(std::string_view table, const std::vector<std::string>& names);

  /// How many are placed.
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  storage::text_map<unsigned> workers_;
  std::atomic<bool> has_subscriptions_{false};              // there may be some: without, nobody waits for the lock
  storage::text_map<std::string> subscriptions_;            // their tables
  storage::text_map<std::vector<std::string>> subscribed_;  // by table, the names
  std::vector<std::size_t> tables_of_;
  std::size_t tables_max_;
};

}  // namespace pubsubsql::server
