#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "storage/row.hpp"

namespace pubsubsql::storage {

/// How a table in memory and the same table in a database outside differ.
struct table_differences {
  /// A row as it is outside.
  struct outside_row {
    row_position position = 0;  ///< of a table whose ids are kept outside; otherwise without meaning
    row_number here = no_row;   ///< the row of memory that it differs from
    std::vector<std::optional<std::string>> values;  ///< by column; values[0] is not set
  };
  std::vector<row_number> only_here;
  std::vector<outside_row> only_outside;
  std::vector<outside_row> different;
  /// Whether ids are kept outside, so that a row from there comes with its own.
  bool ids_are_outside = false;

  [[nodiscard]] std::size_t size() const { return only_here.size() + only_outside.size() + different.size(); }
};

}  // namespace pubsubsql::storage
