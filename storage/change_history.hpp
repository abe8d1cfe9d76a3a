#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "storage/outcome.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage {

/// What one change did, as far as subscribers of later have to know.
struct past_change {
  std::uint64_t sequence = 0;
  std::int64_t time_us = 0;  ///< of its statement, since 1970
  change_kind kind{};
  std::uint32_t columns = 0;                    ///< that the table had after the statement, dropped ones included
  row_view before = {};                         ///< update_row, delete_row
  row_view after = {};                          ///< insert_row, update_row
  std::span<const column_index> assigned = {};  ///< update_row
};

/// What the histories of all tables of a database come to.
struct history_totals {
  std::size_t bytes = 0;
};

/// The latest changes of one table, copied, for subscribers that were away: everything that came after some position,
/// which moves on as old changes are forgotten. Belongs to its table; a table without it pays one test of a pointer for
/// each statement.
///
/// Invariants:
///  1. Entries are in rising order of their numbers, all greater than begins_after().
///  2. No change of the table behind begins_after() is missing. Numbers that the table has never given to a change lie
///     between two entries only where the server was started between them.
class change_history {
 public:
  /// `position`: of the table; what comes after it is to be appended. `totals`: nullptr: nobody wants to know.
  explicit change_history(std::uint64_t position, history_totals* totals = nullptr);
  ~change_history();
  change_history(const change_history&) = delete;
  change_history& operator=(const change_history&) = delete;

  void count_in(history_totals& totals);

  /// Appends a change, unless it is not behind begins_after().
  void append(const past_change& c);
  /// The changes behind this position have been taken back.
  void undo_to(std::uint64_t position);
  /// Forgets what is not behind this position.
  void begin_after(std::uint64_t position);

  /// Forgets what is older than `oldest_us`, and then the oldest until there are no more than `bytes_max`.
  void trim(std::size_t bytes_max, std::int64_t oldest_us);

  /// Whether all that came after `position` is here. False for a number that the table has not reached, or never had.
  /// `present`: the table's.
  [[nodiscard]] bool reaches_back_to(std::uint64_t position, std::uint64_t present) const;

  /// How many changes it has after a position.
  [[nodiscard]] std::size_t count_after(std::uint64_t position) const {
    return entries_.size() - place_after(position);
  }

  /// The changes after a position, in order, one after the other until there is none. Valid until something changes.
  class reader {
   public:
    [[nodiscard]] const past_change* next();

   private:
    friend class change_history;
    reader(const change_history& of, std::size_t at) : of_(of), at_(at) {}
    const change_history& of_;
    std::size_t at_;
  };
  [[nodiscard]] reader after(std::uint64_t position) const;

  /// Nothing after this is missing; of what is before it nothing is here.
  [[nodiscard]] std::uint64_t begins_after() const { return begins_after_; }
  /// When the last change was made that it has; 0: it has none.
  [[nodiscard]] std::int64_t latest_us() const { return entries_.empty() ? 0 : entries_.back().change.time_us; }
  /// Memory that it takes, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    past_change change;  // views into memory
    std::unique_ptr<std::byte[]> memory;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::size_t place_after(std::uint64_t position) const;
  void forget(std::size_t bytes);
  void forget_first();

  std::deque<entry> entries_;
  std::uint64_t begins_after_;
  std::size_t bytes_ = 0;
  history_totals* totals_;
};

/// Whether subscribers cannot be told of changes before it as of those behind it: what a row shows, or is told by, is
/// another then.
[[nodiscard]] bool parts_history(const change& c);

}  // namespace pubsubsql::storage
