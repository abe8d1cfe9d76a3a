#include "storage/shown_bytes.hpp"

namespace pubsubsql::storage {

namespace {

using namespace json_sizes;

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

}  // namespace pubsubsql::storage
