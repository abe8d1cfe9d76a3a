#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/row.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::storage::matching {

/// A row's values as predicates are looked up by them. Keeps its memory from row to row.
class row_reader {
 public:
  explicit row_reader(const table& of) : table_(&of) {}
  /// Rows are those of another table from now on.
  void move_to(const table& t) { table_ = &t; }
  row_reader(const row_reader&) = delete;
  row_reader& operator=(const row_reader&) = delete;

  void start(row_view row);

  [[nodiscard]] row_view row() const { return row_; }
  /// Of any column, `id` included. Valid until start().
  [[nodiscard]] value text(column_index column);
  /// The key that it compares by; nothing when it has none. Valid until start().
  [[nodiscard]] std::optional<std::string_view> key(column_index column, std::string_view text);

 private:
  struct made_key {
    column_index column = 0;
    bool exists = false;
    std::string bytes;
  };
  static constexpr std::size_t id_digits_max = std::numeric_limits<std::uint64_t>::digits10 + 1;

  const table* table_;
  row_view row_;
  char id_[id_digits_max] = {};
  std::size_t id_digits_ = 0;
  std::vector<made_key> keys_;  // the first keys_made_ are of this row
  std::size_t keys_made_ = 0;
};

}  // namespace pubsubsql::storage::matching
