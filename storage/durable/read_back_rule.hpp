#pragma once

#include <algorithm>
#include <cstdint>

#include "storage/durable/mysql_schema.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage::durable {

/// Rows of which MySQL may have stored something else than it was given.
class read_back_rule {
 public:
  explicit read_back_rule(const mysql_table& t) : table_(t), all_(t.needs_read_back()) {
    for (const mysql_column& c : t.columns) {
      if (c.length_max > 0) shortest_ = std::min(shortest_, c.length_max);
    }
  }

  [[nodiscard]] bool concerns(row_view row) const {
    if (all_) return true;
    if (row.size() <= shortest_) return false;  // no text in it is too long for any column
    row_view::cursor values(row);
    for (column_index column = 1; column <= table_.columns.size(); ++column) {
      if (may_be_cut(table_.columns[column - 1], values.at(column))) return true;
    }
    return false;
  }

 private:
  const mysql_table& table_;
  bool all_;
  std::uint64_t shortest_ = UINT64_MAX;  // how long a text may be in the column that takes least
};

/// Whether MySQL neither alters nor refuses any of the row's values.
inline bool is_certain_to_be_stored(const mysql_table& t, const read_back_rule& rule, row_view row) {
  if (rule.concerns(row)) return false;
  row_view::cursor values(row);
  for (column_index column = 1; column <= t.columns.size(); ++column) {
    const value v = values.at(column);
    const std::uint64_t bytes_certain = t.columns[column - 1].length_max;
    if (v && bytes_certain > 0 && v->size() > bytes_certain) return false;
  }
  return true;
}

}  // namespace pubsubsql::storage::durable
