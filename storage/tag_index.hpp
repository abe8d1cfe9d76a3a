#pragma once

#include <string_view>

#include <absl/container/btree_set.h>

#include "storage/row.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage {

/// A hash index of a column whose values repeat (`tag`): from a value to the positions of its rows, in table order, so
/// that a select gives the same order with and without the index. NULLs are not in it.
class tag_index {
 public:
  using positions = absl::btree_set<row_position>;

  /// The rows with this value, or nullptr when there is none. Valid until the next change of the index.
  [[nodiscard]] const positions* find(std::string_view text) const;

  void insert(std::string_view text, row_position position);

  /// REQUIRES: insert(text, position) was called.
  void erase(std::string_view text, row_position position);

 private:
  text_map<positions> values_;
};

}  // namespace pubsubsql::storage
