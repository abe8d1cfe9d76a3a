#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// Which worker each table lives on. A table is placed when a statement that may create it first names it, and stays.
/// Shared by all workers and thread-safe; workers keep what they learnt (see router), so the lock is taken about once
/// per table and worker.
class table_directory {
 public:
  table_directory(unsigned workers, std::size_t tables_max) : tables_of_(workers), tables_max_(tables_max) {}

  /// The worker of a placed table.
  [[nodiscard]] std::optional<unsigned> find(std::string_view table) const;

  /// Places the table on the worker with the fewest, in doubt on `preferred`. Nothing when there are too many tables.
  [[nodiscard]] std::optional<unsigned> find_or_place(std::string_view table, unsigned preferred);

  /// How many are placed.
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  storage::text_map<unsigned> workers_;
  std::vector<std::size_t> tables_of_;
  std::size_t tables_max_;
};

}  // namespace pubsubsql::server
