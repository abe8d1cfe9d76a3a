#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/table_description.hpp"

namespace pubsubsql::storage {

/// Why a row stands in its queue again, or left it for its dead letter table.
enum class lease_end : std::uint8_t { time, connection, restart, refused };

/// Which rows of a queue may be popped, and in which order; which will be, and when; and who has leased which. Kept in
/// step by its table with every change of a row, those that are taken back among them: what a row is, its own columns
/// say. Every step takes O(log n).
///
/// Invariant: each row is in exactly one of ready, delayed, leased and dead. Delayed are those that may not be popped
/// before a time later than now().
class queue_index {
 public:
  explicit queue_index(queue_settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] const queue_settings& settings() const { return settings_; }

  // The columns that only statements about queues write

  [[nodiscard]] column_index attempts_column() const { return settings_.first_own; }
  [[nodiscard]] column_index available_column() const { return settings_.first_own + 1; }
  [[nodiscard]] column_index until_column() const { return settings_.first_own + 2; }
  [[nodiscard]] column_index owner_column() const { return settings_.first_own + 3; }
  [[nodiscard]] bool is_own(column_index column) const {
    return column >= settings_.first_own && column < settings_.first_own + queue_settings::own_columns;
  }

  // For the table

  void insert(row_view row);
  /// REQUIRES: the row is as it was when it was inserted.
  void erase(row_view row);

  // Time

  /// The time that the queue has been told last, in microseconds since 1970.
  [[nodiscard]] std::int64_t now() const { return now_us_; }
  /// It is this late now: rows whose delay is over are ready. It may be earlier than before, as somebody has set the
  /// clock: then what is ready stays so.
  void advance(std::int64_t now_us);
  /// When the next delay or lease ends; nothing: there is none.
  [[nodiscard]] std::optional<std::int64_t> next_due() const;

  // Reading. Valid until the table changes.

  /// A row that may be popped.
  struct ready_row {
    double rank = 0;  ///< the priority, negated
    row_position position = 0;
    row_number row = no_row;
    friend bool operator<(const ready_row& a, const ready_row& b) {
      return a.rank != b.rank ? a.rank < b.rank : a.position < b.position;
    }
  };
  /// In the order in which they are popped.
  [[nodiscard]] const absl::btree_set<ready_row>& ready() const { return ready_; }

  // For pops that wait until a row meets their predicate

  /// From now on it notes which rows become ready. Returns a number for became_ready() about those that do.
  [[nodiscard]] std::uint64_t watch();
  /// Rows that have become ready since watch() returned `since` and still are, in the order in which they are popped.
  /// Nothing: they are not known any more, as there were more of them than are ready; all have to be looked at.
  [[nodiscard]] std::optional<std::vector<ready_row>> became_ready(std::uint64_t since) const;

  /// A row that something becomes of at a time.
  struct due_row {
    std::int64_t at_us = 0;
    row_position position = 0;
    row_number row = no_row;
    double rank = 0;
    friend bool operator<(const due_row& a, const due_row& b) {
      return a.at_us != b.at_us ? a.at_us < b.at_us : a.position < b.position;
    }
  };
  /// By the ends of their leases.
  [[nodiscard]] const absl::btree_set<due_row>& leased() const { return leased_; }
  [[nodiscard]] std::size_t delayed_count() const { return delayed_.size(); }

  using row_set = absl::btree_map<row_position, row_number>;
  /// The rows that a connection has leased; nullptr: none.
  [[nodiscard]] const row_set* leased_by(subscriber_id owner) const;
  [[nodiscard]] bool has_leased(subscriber_id owner) const { return leased_by(owner) != nullptr; }
  /// Rows that have had their attempts and wait to be moved, or to go.
  [[nodiscard]] const row_set& dead() const { return dead_; }

  /// From when on a row may have been popped, in microseconds since 1970.
  [[nodiscard]] std::int64_t available_since(row_view row) const { return read(row).available_us; }

  /// Why a dead row is.
  void note_death(row_position row, lease_end why) { deaths_.insert_or_assign(row, why); }
  [[nodiscard]] lease_end death_of(row_position row) const;

  /// What has become of rows since the table was made or loaded: what statements came to that were not taken back.
  queue_counts counts;

 private:
  /// What a row's columns say.
  struct facts {
    double rank = 0;
    std::uint64_t attempts = 0;
    std::int64_t available_us = 0;
    std::optional<std::int64_t> leased_until;
    subscriber_id owner{};
  };
  [[nodiscard]] facts read(row_view row) const;
  [[nodiscard]] bool is_dead(const facts& f) const {
    return settings_.attempts_max > 0 && f.attempts >= settings_.attempts_max;
  }

  void add_ready(const ready_row& r);

  /// Beyond those that are ready, so that a short queue is not looked at as a whole again and again.
  static constexpr std::size_t arrivals_spare = 1'000;

  const queue_settings settings_;
  std::int64_t now_us_ = 0;
  absl::btree_set<ready_row> ready_;
  absl::btree_set<due_row> delayed_;
  absl::btree_set<due_row> leased_;
  absl::flat_hash_map<subscriber_id, row_set> by_owner_;
  row_set dead_;
  absl::flat_hash_map<row_position, lease_end> deaths_;  // of rows in dead_, where it is known
  bool is_watched_ = false;
  std::vector<ready_row> arrivals_;   // while it is watched: rows that have become ready, perhaps several times
  std::uint64_t arrivals_begin_ = 1;  // the number of the first; smaller ones are not known any more
};

/// How the owner of a lease stands in its row.
[[nodiscard]] std::uint64_t number_of(subscriber_id owner);

}  // namespace pubsubsql::storage
