#pragma once

#include <algorithm>
#include <span>
#include <utility>
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

  /// Rows that are written with the same columns.
  struct alike {
    std::vector<column_index> columns;  ///< rising
    std::vector<row_view> rows;
  };
  [[nodiscard]] std::vector<alike> group(std::span<const row_view> rows) const {
    std::vector<alike> groups;
    for (const row_view row : rows) {
      std::vector<column_index> left_out = of(row);
      auto same = std::ranges::find(groups, left_out, &alike::columns);
      if (same == groups.end()) same = groups.insert(same, alike{.columns = std::move(left_out), .rows = {}});
      same->rows.push_back(row);
    }
    for (alike& g : groups) g.columns = others(g.columns);
    return groups;
  }

 private:
  const mysql_table& table_;
  std::vector<column_index> required_;
};

}  // namespace pubsubsql::storage::durable
