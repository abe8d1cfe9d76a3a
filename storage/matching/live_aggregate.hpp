#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/container/btree_map.h>

#include "storage/sql/aggregate.hpp"
#include "storage/sql/datum.hpp"

namespace pubsubsql::storage::matching {

/// An aggregate that values go into and out of again. min and max keep all values, in order; equal ones once. What it
/// gives depends on the values that are in it only, not on how they came.
class live_aggregate {
 public:
  explicit live_aggregate(sql::aggregate_kind kind, bool distinct) : kind_(kind), sum_(kind, distinct) {}

  void add(const sql::datum& d);
  /// REQUIRES: d was added.
  void remove(const sql::datum& d);
  /// Valid until the next change.
  [[nodiscard]] sql::datum result(sql::evaluation& e) const;

 private:
  struct held_value {
    explicit held_value(const sql::datum& d);
    [[nodiscard]] sql::datum get() const;

    sql::datum value;  // of a text or long decimal: its kind only, what it is stands in the next two
    std::string text;
    std::unique_ptr<const sql::decimal> decimal;
    std::uint64_t count = 0;
  };

  sql::aggregate_kind kind_;
  sql::aggregate sum_;                                 // count, sum and avg
  absl::btree_map<std::string, held_value> in_order_;  // min and max
};

}  // namespace pubsubsql::storage::matching
