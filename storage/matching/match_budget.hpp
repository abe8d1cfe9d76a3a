#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "storage/matching/filtered_group.hpp"
#include "storage/sql/work_budget.hpp"

namespace pubsubsql::storage::matching {

/// What it may cost to find out whom a changed row concerns: the steps (see sql::work_budget) that the filters, groups
/// and orders of all subscriptions to a table take together for one row.
///
/// Those that take little more than reading the row once or twice are not counted, as long as all together, counted or
/// not, take less than `all_factor` times the limit for the row; from then on only what takes some comparisons is free.
/// When those that are counted take more than the limit, subscriptions are over: those that have taken at least half
/// as much as the dearest one; and from then on none may take more than that half for this row. So a row takes at most
/// some (all_factor + log2(limit / small_steps_min)) times the limit, one reading of it, and small_steps_min for each
/// subscription, whatever subscriptions compute. What a subscription that is over would have been told is not known:
/// it has to be ended.
class match_budget {
 public:
  /// A statement, for each of whose rows there is as much.
  void begin(std::uint64_t row_steps_max) {
    row_steps_max_ = row_steps_max;
    statement_ = nullptr;
  }
  /// A statement that pays for it itself, with what it has left: nothing is over then, but the statement has failed
  /// when nothing is left. The budget must stay there while rows are looked at.
  void begin(sql::work_budget& statement) { statement_ = &statement; }

  /// A row, or several at once, of that size together are looked at from now on. None count as one.
  void begin_rows(std::size_t rows, std::size_t bytes) {
    rows = std::max<std::size_t>(rows, 1);
    scarce_steps_ = rows * small_steps_min;
    small_steps_ = scarce_steps_ + 2 * bytes;
    limit_ = times(row_steps_max_, rows);
    all_left_ = times(limit_, all_factor);
    steps_max_ = std::max(limit_, small_steps_ + 1);
    if (counted_.empty()) return;
    counted_.clear();
    counted_steps_ = 0;
  }

  /// What a group that is not over may take for it now.
  [[nodiscard]] sql::work_budget& start() {
    if (statement_ != nullptr) return *statement_;
    left_.steps_left = steps_max_;
    return left_;
  }
  /// It has taken it. Returns false when the group is over by now: what was found out does not count.
  bool charge(subscription_group& g) {
    if (statement_ != nullptr) return true;
    const std::uint64_t steps = steps_max_ - left_.steps_left;
    if (steps > all_left_) [[unlikely]] {
      become_scarce();
    } else {
      all_left_ -= steps;
    }
    if (steps <= small_steps_) return true;
    count(g, steps);
    return !g.is_over;
  }

  /// A subscription that is over, and the steps that it has taken for a row.
  struct costly {
    event_target target;
    std::uint64_t steps = 0;
  };
  /// Those that have got over since the last call.
  [[nodiscard]] std::vector<costly> take_over() { return std::exchange(over_, {}); }
  [[nodiscard]] bool has_over() const { return !over_.empty(); }

 private:
  static constexpr std::uint64_t small_steps_min = 1000;
  static constexpr std::uint64_t all_factor = 10;

  /// UINT64_MAX when it is more.
  [[nodiscard]] static std::uint64_t times(std::uint64_t steps, std::uint64_t factor) {
    return steps > UINT64_MAX / factor ? UINT64_MAX : steps * factor;
  }

  struct counted {
    subscription_group* group;
    std::uint64_t steps;
  };

  void become_scarce();
  void count(subscription_group& g, std::uint64_t steps);
  void lower();
  void end(const counted& c);

  std::uint64_t row_steps_max_ = UINT64_MAX;
  sql::work_budget* statement_ = nullptr;
  sql::work_budget left_;

  // For the rows that are looked at
  std::uint64_t small_steps_ = 0;        // so many are not counted
  std::uint64_t scarce_steps_ = 0;       // nor so many when all have taken much
  std::uint64_t all_left_ = UINT64_MAX;  // of all, counted or not, until then
  std::uint64_t limit_ = UINT64_MAX;     // of those that are counted
  std::uint64_t steps_max_ = UINT64_MAX;
  std::uint64_t counted_steps_ = 0;  // since steps_max_ was lowered
  std::vector<counted> counted_;

  std::vector<costly> over_;
};

}  // namespace pubsubsql::storage::matching
