#pragma once

#include <string>
#include <string_view>

#include "storage/row.hpp"

namespace pubsubsql::storage {
class table;
}

/// How the values of a table's columns compare with the bounds of ranges.
namespace pubsubsql::storage::matching {

/// Whether the column has no type: numbers compare as such with numbers, everything else as text.
[[nodiscard]] bool is_untyped(const table& of, column_index column);

/// Appends bytes that compare as values of the column do. Returns whether the text has such a key: in a column without
/// a type only what looks like a number has one.
[[nodiscard]] bool append_key(std::string& out, const table& of, column_index column, std::string_view text);

}  // namespace pubsubsql::storage::matching
