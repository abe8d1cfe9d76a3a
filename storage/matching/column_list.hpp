#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/row.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::storage::matching {

/// The columns that some subscriptions want of each row: what tells rows apart first, then those that were listed.
/// Shared by all subscriptions with the same list.
class column_list {
 public:
  explicit column_list(std::span<const std::string_view> names) : names_(names.begin(), names.end()) {}

  [[nodiscard]] std::span<const std::string> names() const { return names_; }

  /// Looks the columns up anew; one that is not there is left out.
  void bind(const table& of);

  /// Those of whole rows.
  [[nodiscard]] std::span<const column_index> columns() const { return columns_; }

  /// What an update of some columns comes to.
  struct update {
    std::vector<column_index> assigned;
    /// Those of the event: what tells rows apart, then the assigned columns that are listed, as they were assigned.
    std::vector<column_index> shown;
  };
  /// Made once for each `statement` and list of columns; valid until there is another statement.
  [[nodiscard]] const update& update_of(std::uint64_t statement, std::span<const column_index> assigned);

  std::size_t users = 0;  ///< groups that have it

 private:
  std::vector<std::string> names_;
  std::vector<column_index> columns_;
  std::size_t leading_ = 0;     // columns_ that tell rows apart
  std::deque<update> updates_;  // of the statement
  std::uint64_t statement_ = 0;
};

/// Whether one of the columns has another value.
[[nodiscard]] bool differ(std::span<const column_index> columns, row_view before, row_view after);

}  // namespace pubsubsql::storage::matching
