#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/column_atom.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage::matching {

/// How rows that may match a predicate are recognised: by values of some columns, then by the range of another.
struct access_path {
  struct equality {
    column_index column = 0;
    std::optional<std::string> text;  ///< nothing: NULL

    bool operator==(const equality&) const = default;
  };

  std::vector<equality> equalities;  ///< by rising column
  std::optional<column_atom> range;
  unsigned conjunction = 0;  ///< which one of the predicate this is for
  bool ask = false;          ///< the predicate demands more

  bool operator==(const access_path&) const = default;
};

/// The paths of a predicate: a row that matches goes along at least one of them. No two of one conjunction have the
/// same equalities.
[[nodiscard]] std::vector<access_path> access_paths_of(std::span<const conjunction> predicate);

}  // namespace pubsubsql::storage::matching
