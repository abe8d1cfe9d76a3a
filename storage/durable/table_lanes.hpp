#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// Which lane writes which table: at first one that is chosen by the table's name. Tables that were changed in one
/// transaction are written over one lane from then on, so that each later transaction is one there, too. Thread-safe.
class table_lanes {
 public:
  explicit table_lanes(unsigned count) : count_(count) {}

  [[nodiscard]] unsigned count() const { return count_; }
  [[nodiscard]] unsigned lane_of(std::string_view table) const {
    if (any_moved_.load(std::memory_order_acquire)) {
      const std::shared_lock lock(mutex_);
      if (const auto it = moved_.find(table); it != moved_.end()) return it->second;
    }
    return by_name(table);
  }
  /// Tables that go from a lane to the one of the first table joined.
  struct move {
    unsigned from = 0;
    std::vector<std::string> tables;
  };
  /// Puts all of them on the lane of the first, with the tables that each has been joined with before. Returns what
  /// has moved. One caller at a time.
  std::vector<move> join(std::span<const std::string_view> tables);

 private:
  [[nodiscard]] unsigned by_name(std::string_view table) const;
  [[nodiscard]] bool are_joined(std::span<const std::string_view> tables) const;
  [[nodiscard]] std::vector<std::string> companions(std::string_view table) const;

  unsigned count_;
  mutable std::shared_mutex mutex_;
  std::atomic<bool> any_moved_ = false;
  text_map<unsigned> moved_;      // guarded by mutex_
  text_map<std::uint64_t> sets_;  // which were joined have the same number; touched by join() only
  std::uint64_t next_set_ = 0;
};

}  // namespace pubsubsql::storage::durable
