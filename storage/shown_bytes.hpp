#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "storage/row.hpp"

/// What rows take as they are shown, which is as JSON (RFC 8259): what `--max-result-bytes` counts.
namespace pubsubsql::storage {

/// Rows of one message at most; a protocol constant that clients rely on. Each message names the columns.
inline constexpr std::size_t rows_per_message = 100;

namespace json_sizes {

inline constexpr std::size_t null_bytes = 4;
inline constexpr std::size_t quotes_bytes = 2;
/// The comma or bracket behind a value.
inline constexpr std::size_t separator_bytes = 1;
/// The most that a byte becomes: \u001f.
inline constexpr std::size_t escaped_bytes_max = 6;
/// The digits of an id, with quotes.
inline constexpr std::size_t id_bytes_max = 20 + quotes_bytes;
/// A row's first bracket, and the comma behind it.
inline constexpr std::size_t row_bytes = 2;

}  // namespace json_sizes

/// A text as a JSON string, with its quotes.
[[nodiscard]] std::size_t shown_bytes(std::string_view text);
/// A value, and what parts it from the next.
[[nodiscard]] std::size_t shown_bytes(const value& v);
/// A row with these columns.
[[nodiscard]] std::size_t shown_bytes(row_view row, std::span<const column_index> columns);

/// What a value of so many bytes takes at most.
[[nodiscard]] constexpr std::size_t shown_bytes_max(std::size_t value_bytes) {
  return value_bytes * json_sizes::escaped_bytes_max + json_sizes::quotes_bytes + json_sizes::separator_bytes;
}

/// What rows of so many bytes in all take at most, which are shown with so many columns, each at most `repeats` times.
[[nodiscard]] constexpr std::size_t shown_rows_bytes_max(std::size_t rows, std::size_t bytes, std::size_t columns,
                                                         std::size_t repeats) {
  using namespace json_sizes;
  return rows * (row_bytes + id_bytes_max * repeats + (null_bytes + separator_bytes) * columns) +
         bytes * repeats * escaped_bytes_max;
}

/// What so many rows take beside themselves: the names of the columns, which each message repeats.
[[nodiscard]] constexpr std::size_t shown_names_bytes(std::size_t names_bytes, std::size_t rows) {
  return names_bytes * (rows / rows_per_message + 1);
}

}  // namespace pubsubsql::storage
