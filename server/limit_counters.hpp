#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "server/limits.hpp"

namespace pubsubsql::server {

/// How often each limit was met, and the most that was in use. Thread-safe; nothing here costs while no limit is met.
class limit_counters {
 public:
  limit_counters() : entries_(all_limits().size()) {}

  /// Something was refused, or ended, because of the limit with this flag. One that is not in the table is not counted.
  void refused(std::string_view flag) {
    const std::size_t place = place_of_limit(flag);
    if (place < entries_.size()) entries_[place].refused.fetch_add(1, std::memory_order_relaxed);
  }
  /// So much is in use now.
  void in_use(std::size_t place, std::uint64_t now) {
    std::atomic<std::uint64_t>& peak = entries_[place].peak;
    std::uint64_t before = peak.load(std::memory_order_relaxed);
    while (before < now && !peak.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }

  // By a limit's place in all_limits()

  [[nodiscard]] std::uint64_t refusals(std::size_t place) const {
    return entries_[place].refused.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t peak(std::size_t place) const {
    return entries_[place].peak.load(std::memory_order_relaxed);
  }

 private:
  struct entry {
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> peak{0};
  };
  std::vector<entry> entries_;
};

}  // namespace pubsubsql::server
