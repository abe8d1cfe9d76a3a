#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/row.hpp"

namespace pubsubsql::storage {

/// What a predicate demands of one column, as far as an index can use it. Texts are as rows store them: in the
/// canonical form of the column's type.
struct column_atom {
  enum class kind : std::uint8_t {
    equal,       ///< to one of `values`, which are distinct and not empty
    range,       ///< between the bounds, at least one of which is there; compared as the column's type compares
    is_null,     ///<
    is_not_null  ///<
  };
  struct bound {
    std::string text;
    bool inclusive = false;

    bool operator==(const bound&) const = default;
  };

  column_index column = 0;
  kind demands{};
  std::vector<std::string> values = {};
  std::optional<bound> lower = {};
  std::optional<bound> upper = {};

  bool operator==(const column_atom&) const = default;
};

/// What must hold together for a row to match: all of the atoms, at most one of each kind for a column.
struct conjunction {
  std::vector<column_atom> atoms;
  /// The atoms say all: a row that meets them matches. Otherwise the predicate has to be asked, too.
  bool complete = false;
};

}  // namespace pubsubsql::storage
