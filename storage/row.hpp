#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pubsubsql::storage {

/// A column's value; no value is NULL, which is not the empty string.
using value = std::optional<std::string_view>;

/// A column's place in its table; 0 is always `id`.
using column_index = std::uint32_t;
inline constexpr column_index id_column = 0;

/// A row's number inside its table's heap: stable while the row lives, reused afterwards. Never shown to users.
using row_number = std::uint32_t;
inline constexpr row_number no_row = UINT32_MAX;

/// Where a row stands in its table, and its id at once. Ids are given from 0 upward. A row put at the back stands at
/// its id; one put at the front stands at -1 - id. So positions order a table as the double-ended queue that it is.
using row_position = std::int64_t;

/// The largest id: a position has a bit less than an id.
inline constexpr std::uint64_t row_id_max = INT64_MAX - 1;

[[nodiscard]] constexpr row_position back_position(std::uint64_t id) {
  return static_cast<row_position>(id);
}
[[nodiscard]] constexpr row_position front_position(std::uint64_t id) {
  return -1 - static_cast<row_position>(id);
}
[[nodiscard]] constexpr std::uint64_t id_of(row_position position) {
  return static_cast<std::uint64_t>(position >= 0 ? position : -1 - position);
}

/// A stored row, read only: a pointer to its bytes, cheap to copy. Whoever hands one out says how long it is valid.
///
/// The bytes, unaligned and in the machine's byte order:
///
///     row number 4 | size 4 | position 8 | columns stored 2 | a varint for each column | the columns' texts
///
/// `size` counts everything, spare bytes at the end included. A column's varint (LEB128) is the length of its text + 1;
/// 0 is NULL. `id` is not stored, it is in the position; trailing NULLs are not stored.
class row_view {
 public:
  static constexpr std::size_t header_bytes = 18;

  row_view() = default;
  explicit row_view(const char* bytes) : bytes_(bytes) {}

  [[nodiscard]] row_number number() const { return read<row_number>(0); }
  [[nodiscard]] std::size_t size() const { return read<std::uint32_t>(4); }
  [[nodiscard]] row_position position() const { return read<row_position>(8); }
  [[nodiscard]] std::uint64_t id() const { return id_of(position()); }
  /// False for a row that was only published: it is in no table, and its id is NULL.
  [[nodiscard]] bool has_id() const { return number() != no_row; }
  [[nodiscard]] const char* data() const { return bytes_; }
  /// All of it; empty for none.
  [[nodiscard]] std::string_view bytes() const {
    return bytes_ == nullptr ? std::string_view() : std::string_view(bytes_, size());
  }

  /// Its size without the spare bytes.
  [[nodiscard]] std::size_t used_size() const;

  /// The value of any column but `id`; NULL for a column the row does not have. Walks the lengths of the columns
  /// before it. REQUIRES: column != id_column.
  [[nodiscard]] value at(column_index column) const;

  /// Reads the values of a row that comes from outside into `values`, by column; values[0] is not set. Returns whether
  /// the bytes are sound from the number of columns stored on; what is before that is not looked at.
  [[nodiscard]] static bool read_values(std::string_view bytes, std::vector<value>& values);

  /// Reads columns in rising order in one walk over the row.
  class cursor {
   public:
    explicit cursor(row_view row);
    /// REQUIRES: column != id_column, and greater than in the call before.
    [[nodiscard]] value at(column_index column);

   private:
    const char* length_;
    const char* text_;
    column_index next_ = 1;
    column_index end_;
  };

 private:
  template <typename T>
  [[nodiscard]] T read(std::size_t offset) const {
    T v;
    std::memcpy(&v, bytes_ + offset, sizeof v);
    return v;
  }
  /// Seven bits of a number in each byte, the lowest first.
  [[nodiscard]] static std::uint64_t read_varint(const char*& in) {
    if (static_cast<unsigned char>(*in) < 0x80) return static_cast<unsigned char>(*in++);
    return read_long_varint(in);
  }
  [[nodiscard]] static std::uint64_t read_long_varint(const char*& in);
  [[nodiscard]] column_index columns_end() const { return column_index{1} + read<std::uint16_t>(16); }

  const char* bytes_ = nullptr;
};

inline row_view::cursor::cursor(row_view row) : length_(row.bytes_ + header_bytes), end_(row.columns_end()) {
  text_ = length_;
  for (column_index i = 1; i < end_; ++i) {
    while (static_cast<unsigned char>(*text_++) >= 0x80) {
    }
  }
}

inline value row_view::cursor::at(column_index column) {
  if (column >= end_) return std::nullopt;
  for (;; ++next_) {
    const std::uint64_t length = read_varint(length_);
    const char* text = text_;
    if (length > 0) text_ += length - 1;
    if (next_ != column) continue;
    ++next_;
    if (length == 0) return std::nullopt;
    return std::string_view(text, length - 1);
  }
}

inline value row_view::at(column_index column) const {
  return cursor(*this).at(column);
}

/// Writes the bytes of a row into `out`, replacing what it held. `values[i]` is column i; values[0] is ignored.
/// The row number is left 0 for the heap to fill in. REQUIRES: values does not point into `out`.
void encode_row(row_position position, std::span<const value> values, std::string& out);

/// The same for a row that is published and not stored. `position`: what tells it from other rows.
void encode_published_row(row_position position, std::span<const value> values, std::string& out);

/// The bytes encode_row() would write, so that a limit can be checked first.
[[nodiscard]] std::size_t encoded_row_bytes(std::span<const value> values);

}  // namespace pubsubsql::storage
