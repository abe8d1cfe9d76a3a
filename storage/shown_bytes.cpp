#include "storage/shown_bytes.hpp"

namespace pubsubsql::storage {

namespace {

constexpr std::size_t null_bytes = 4;
constexpr std::size_t quotes_bytes = 2;
/// The comma or bracket behind a value.
constexpr std::size_t separator_bytes = 1;
/// The most that a byte becomes: \u001f.
constexpr std::size_t escaped_bytes_max = 6;
/// The digits of an id, with quotes.
constexpr std::size_t id_bytes_max = 20 + quotes_bytes;
/// A row's first bracket, and the comma behind it.
constexpr std::size_t row_bytes = 2;

}  // namespace

std::size_t shown_bytes(std::string_view text) {
  std::size_t escapes = 0;  // bytes that they add; without branches, so that many bytes are looked at together
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const unsigned control = byte < 0x20 ? 1 : 0;
    const unsigned has_letter = byte >= '\b' && byte <= '\r' && byte != '\v' ? 1 : 0;  // \b \t \n \f \r
    const unsigned quoted = byte == '"' || byte == '\\' ? 1 : 0;
    escapes += (escaped_bytes_max - 1) * control - 4 * has_letter + quoted;
  }
  return text.size() + escapes + quotes_bytes;
}

std::size_t shown_bytes(const value& v) {
  return (v ? shown_bytes(*v) : null_bytes) + separator_bytes;
}

std::size_t shown_bytes(row_view row, std::span<const column_index> columns) {
  std::size_t bytes = row_bytes;
  row_view::cursor rising(row);
  column_index last = id_column;
  for (const column_index column : columns) {
    if (column == id_column) {
      bytes += id_bytes_max + separator_bytes;
    } else if (column > last) {
      bytes += shown_bytes(rising.at(column));
      last = column;
    } else {
      bytes += shown_bytes(row.at(column));
    }
  }
  return bytes;
}

std::size_t shown_bytes_max(std::size_t value_bytes) {
  return value_bytes * escaped_bytes_max + quotes_bytes + separator_bytes;
}

std::size_t shown_bytes_max(row_view row, std::size_t columns, std::size_t repeats) {
  return row_bytes + id_bytes_max * repeats + columns * (null_bytes + separator_bytes) +
         row.size() * repeats * escaped_bytes_max;
}

}  // namespace pubsubsql::storage
