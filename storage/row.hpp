#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pubsubsql::storage {

/// A column's value; no value is NULL, which is not the empty string.
using value = std::optional<std::string_view>;

/// A column's place in its table; 0 is always `id`.
using column_index = std::uint32_t;
inline constexpr column_index id_column = 0;

/// Where a row stands in its table, and its id at once. Ids are given from 0 upward. A row put at the back stands at
/// its id; one put at the front stands at -1 - id. So positions order a table as the double-ended queue that it is.
using row_position = std::int64_t;

[[nodiscard]] constexpr std::uint64_t id_of(row_position position) {
  return position >= 0 ? static_cast<std::uint64_t>(position) : static_cast<std::uint64_t>(-1 - position);
}

/// A stored row, read only: a pointer to its bytes, cheap to copy. Whoever hands one out says how long it is valid.
///
/// The bytes, unaligned: row_number (4), size of the whole (4), position (8), number of columns stored (2), then for
/// each stored column its length + 1 as a varint (0 is NULL), then the columns' text one after the other. `id` is not
/// stored, it is in the position; trailing NULLs are not stored.
class row_view {
 public:
  static constexpr std::size_t header_bytes = 18;

  row_view() = default;
  explicit row_view(const char* bytes) : bytes_(bytes) {}

  [[nodiscard]] row_position position() const { return read<row_position>(8); }
  [[nodiscard]] std::uint64_t id() const { return id_of(position()); }
  [[nodiscard]] const char* data() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return read<std::uint32_t>(4); }

  /// The value of any column but `id`; NULL for a column the row does not have. Walks the lengths before it.
  /// REQUIRES: column != id_column.
  [[nodiscard]] value at(column_index column) const;

  /// Reads columns in rising order, each at most once, in one walk over the row.
  class cursor {
   public:
    explicit cursor(row_view row);
    /// REQUIRES: column > 0 and greater than at the call before.
    [[nodiscard]] value at(column_index column);

   private:
    const char* length_;
    const char* text_;
    column_index next_ = 1;
    column_index end_;
  };

 private:
  template <typename T>
  [[nodiscard]] T read(std::size_t at) const {
    T v;
    __builtin_memcpy(&v, bytes_ + at, sizeof v);
    return v;
  }

  const char* bytes_ = nullptr;
};

}  // namespace pubsubsql::storage
