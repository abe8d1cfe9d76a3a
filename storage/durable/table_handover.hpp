#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/durable/mysql_catalog.hpp"
#include "storage/durable/store.hpp"

namespace pubsubsql::storage::durable {

/// A table that is to be claimed for us in MySQL.
struct claimed_table {
  std::string name;
  std::uint64_t next_id = 0;
  std::uint64_t sequence = 0;
};

/// Tables on their way from one lane to another. The one gives when it has written, or put off, what came for them
/// before; the other waits for that before it writes what comes after.
class table_handover {
 public:
  /// What goes with the tables.
  struct luggage {
    std::vector<std::pair<std::string, std::vector<catalog_column>>> columns;
    std::vector<std::pair<std::string, std::vector<catalog_column>>> told_columns;  ///< by those who told the lane
    std::vector<std::pair<std::string, mysql_error>> refused;                       ///< see mysql_catalog
    std::vector<write> postponed;
    std::vector<write> doubtful;
    std::vector<claimed_table> claims;
    /// MySQL has all that came for the tables before.
    bool settled = false;
  };

  explicit table_handover(std::vector<std::string> tables) : tables_(std::move(tables)) {}

  [[nodiscard]] const std::vector<std::string>& tables() const { return tables_; }

  void give(luggage all) {
    {
      const std::scoped_lock lock(mutex_);
      luggage_ = std::move(all);
      given_ = true;
    }
    changed_.notify_one();
  }
  /// To be called once.
  luggage take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
    return std::move(luggage_);
  }

 private:
  std::vector<std::string> tables_;
  std::mutex mutex_;
  std::condition_variable changed_;
  luggage luggage_;
  bool given_ = false;
};

}  // namespace pubsubsql::storage::durable
