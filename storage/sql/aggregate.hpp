#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_map.h>

#include "storage/sql/datum.hpp"

namespace pubsubsql::storage::sql {

enum class aggregate_kind : std::uint8_t { count, sum, min, max, avg };

/// The aggregate of that name, in any case; nothing for any other name.
[[nodiscard]] std::optional<aggregate_kind> find_aggregate(std::string_view name);

/// An aggregate while values go into it: `count(c)`, `sum(distinct c)` ... NULL counts for none of them; for
/// `count(*)` give something that is not NULL. Owns what it keeps.
class aggregate {
 public:
  explicit aggregate(aggregate_kind kind, bool distinct = false) : kind_(kind), distinct_(distinct) {}

  void add(const datum& d);
  /// Takes back a value that was added. REQUIRES: can_remove().
  void remove(const datum& d);
  /// Whether values can be taken back: from all but min and max.
  [[nodiscard]] bool can_remove() const { return kind_ != aggregate_kind::min && kind_ != aggregate_kind::max; }

  /// How many values are in it.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// What it keeps beside itself, about: the values that are to be told apart.
  [[nodiscard]] std::size_t held_bytes() const { return seen_bytes_; }
  /// count: an integer; sum: of exact numbers a decimal, of others a double; avg: four digits more than sum; NULL of
  /// no values, but count 0.
  [[nodiscard]] datum result(evaluation& e) const;

 private:
  void add_number(const datum& d, bool removing);
  void add_exact(const decimal& d);
  void keep_if_better(const datum& d);
  [[nodiscard]] datum best() const;
  /// Whether the value comes for the first time, or goes for the last time.
  [[nodiscard]] bool is_first_or_last(const datum& d, bool removing);
  [[nodiscard]] std::optional<decimal> exact_sum() const;

  aggregate_kind kind_;
  bool distinct_;
  std::uint64_t count_ = 0;
  // sum and avg
  std::int64_t short_sum_ = 0;  // coefficient / 10^short_scale_
  std::uint8_t short_scale_ = 0;
  decimal long_sum_;           // besides short_sum_
  double floating_sum_ = 0;    // of doubles too large for a decimal
  std::uint64_t inexact_ = 0;  // values that are no exact numbers
  bool overflow_ = false;
  // min and max
  datum best_;  // where it is a text or long decimal: its kind only, what it is stands in the next two
  std::string best_text_;
  decimal best_decimal_;
  std::size_t seen_bytes_ = 0;
  absl::flat_hash_map<std::string, std::uint64_t> seen_;  // distinct: how often each value is in it
};

}  // namespace pubsubsql::storage::sql
