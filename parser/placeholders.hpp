#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

/// The `?` of a statement, and the values they stand for in the order in which they are written. A parser may read a
/// part of the statement again, so each `?` is known by where it stands.
///
/// Invariant: positions_ ascend. A `?` is first met before all those behind it.
class placeholders {
 public:
  /// REQUIRES: the values outlive it.
  placeholders(std::span<const bound_value> values, statement_arena& arena)
      : values_(values), positions_(arena.resource()) {}

  /// The value for the `?` at this byte of the statement; of the kind `missing` when there are fewer.
  [[nodiscard]] bound_value at(std::size_t position) {
    if (positions_.empty() || positions_.back() < position) positions_.push_back(position);
    const auto found = std::ranges::lower_bound(positions_, position);
    const auto number = static_cast<std::size_t>(found - positions_.begin());
    return number < values_.size() ? values_[number] : bound_value{.is = bound_value::kind::missing};
  }

  /// How many `?` there are, once all is read.
  [[nodiscard]] std::size_t count() const { return positions_.size(); }

  /// Where the first one is for which there is no value. REQUIRES: there is one.
  [[nodiscard]] std::size_t first_missing() const { return positions_[values_.size()]; }

 private:
  std::span<const bound_value> values_;
  std::pmr::vector<std::size_t> positions_;
};

}  // namespace pubsubsql::parser
