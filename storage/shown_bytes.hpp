#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "storage/row.hpp"

/// What rows take as they are shown, which is as JSON (RFC 8259): what `--max-result-bytes` counts.
namespace pubsubsql::storage {

/// Rows of one message at most; a protocol constant that clients rely on. Each message names the columns.
inline constexpr std::size_t rows_per_message = 100;

/// A text as a JSON string, with its quotes.
[[nodiscard]] std::size_t shown_bytes(std::string_view text);
/// A value, and what parts it from the next.
[[nodiscard]] std::size_t shown_bytes(const value& v);
/// A row with these columns.
[[nodiscard]] std::size_t shown_bytes(row_view row, std::span<const column_index> columns);

/// What a value of so many bytes takes at most.
[[nodiscard]] std::size_t shown_bytes_max(std::size_t value_bytes);
/// What a row takes at most, found without reading it: one that has so many columns, each named at most `repeats`
/// times.
[[nodiscard]] std::size_t shown_bytes_max(row_view row, std::size_t columns, std::size_t repeats);

/// What so many rows take beside themselves: the names of the columns, which each message repeats.
[[nodiscard]] constexpr std::size_t shown_names_bytes(std::size_t names_bytes, std::size_t rows) {
  return names_bytes * (rows / rows_per_message + 1);
}

}  // namespace pubsubsql::storage
