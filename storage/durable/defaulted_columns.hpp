#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "storage/durable/mysql_schema.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage::durable {

/// Columns of rows that have no value in memory and must have one in MySQL: the rows came while MySQL was away and only
/// it knows the default. They are left out where a whole row is written.
class defaulted_columns {
 public:
  /// `named`: columns that are written in any case. `t` outlives this.
  explicit defaulted_columns(const mysql_table& t, std::span<const column_index> named = {}) : table_(t) {
    for (column_index column = 1; column <= t.columns.size(); ++column) {
      const mysql_column& c = t.columns[column - 1];
      const bool is_named = std::ranges::find(named, column) != named.end();
      if (is_writable(c) && !c.facts.nullable && !is_named) required_.push_back(column);
    }
  }

  /// Those of one row, rising.
  [[nodiscard]] std::vector<column_index> of(row_view row) const {
    std::vector<column_index> left_out;
    row_view::cursor values(row);
    for (const column_index column : required_) {
      if (!values.at(column)) left_out.push_back(column);
    }
    return left_out;
  }

  /// All that can be written but `left_out`, rising.
  [[nodiscard]] std::vector<column_index> others(std::span<const column_index> left_out) const {
    std::vector<column_index> columns;
    for (column_index column = 1; column <= table_.columns.size(); ++column) {
      const bool is_left_out = std::ranges::find(left_out, column) != left_out.end();
      if (is_writable(table_.columns[column - 1]) && !is_left_out) columns.push_back(column);
    }
    return columns;
  }

 private:
  const mysql_table& table_;
  std::vector<column_index> required_;
};

}  // namespace pubsubsql::storage::durable
