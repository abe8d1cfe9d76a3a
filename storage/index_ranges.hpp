#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "storage/column_atom.hpp"
#include "storage/ordered_index.hpp"

namespace pubsubsql::storage {

/// Where in an ordered index every row is that meets some atoms; others may be there too.
struct index_ranges {
  std::vector<key_range> ranges;              ///< disjoint and rising
  std::vector<const column_atom*> used = {};  ///< the atoms that led to them
  std::size_t depth = 0;                      ///< the first columns of the index that they are about
  std::size_t fixed = 0;                      ///< the first columns in which all the rows have the same key
  bool only_equal = true;                     ///< nothing but equality to one value (or NULL)
};

/// Equality, with one of several values too, in the first columns of the index, then a range in the next one. Without
/// any atom to use: one range, which is everything.
///
/// In a column without a type, a value that looks like a number compares by number with one that does, and by text
/// with one that does not. The index has the numbers before the other texts, so a range is one of numbers and one of
/// texts; where its bound is another text, all numbers are candidates.
[[nodiscard]] index_ranges find_ranges(const ordered_index& index, std::span<const column_atom> atoms);

}  // namespace pubsubsql::storage
