#pragma once

#include <cstddef>
#include <cstdint>

namespace pubsubsql::storage::sql {

/// What one statement may still cost. A step is about what computing one node of an expression takes: each row that is
/// visited costs one, each expression computed for it as many as it has nodes, and long texts more by their length.
/// Bytes are those that it holds while it groups, sorts and tells rows apart.
struct work_budget {
  std::uint64_t steps_max = UINT64_MAX;  ///< for the message
  std::size_t bytes_max = SIZE_MAX;      ///< for the message
  std::uint64_t steps_left = steps_max;
  std::size_t bytes_left = bytes_max;
};

}  // namespace pubsubsql::storage::sql
