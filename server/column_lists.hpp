#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/row.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::server {

/// The JSON lists of column names, as every reply with rows and every event has one. The lists made lately are kept:
/// most messages name the columns that one before them named.
class column_lists {
 public:
  /// `["id","bid"]`. Valid until the next call.
  [[nodiscard]] std::string_view of(const storage::table& t, std::span<const storage::column_index> columns);

 private:
  struct list {
    std::uint64_t schema_version = 0;  // no table's
    std::vector<storage::column_index> columns;
    std::string text;
  };
  /// By schema version and columns, each list at one place.
  static constexpr std::size_t lists_kept = 64;

  std::array<list, lists_kept> lists_;
};

}  // namespace pubsubsql::server
