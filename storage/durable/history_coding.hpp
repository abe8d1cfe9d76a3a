#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/change_history.hpp"
#include "storage/durable/byte_coding.hpp"
#include "storage/table.hpp"

/// What a table keeps of its changes, as bytes.
namespace pubsubsql::storage::durable {

/// Tells whether the rows of a table are those of another time, in whatever order they come: how many they are, and
/// the sum of a hash (FNV-1a, 64 bits) of each. NULLs do not count, so a new column without values changes nothing.
class row_sum {
 public:
  row_sum() = default;
  row_sum(std::uint64_t rows, std::uint64_t sum) : rows_(rows), sum_(sum) {}

  /// values[i] is column i; values[0] is not looked at.
  void add(row_position position, std::span<const value> values);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  bool operator==(const row_sum&) const = default;

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t sum_ = 0;
};

/// Of all rows of a table.
[[nodiscard]] row_sum sum_of(const table& t);

/// What a history is the history of. It is that of no other table.
struct history_head {
  std::uint64_t sequence = 0;      ///< the table's
  std::uint64_t begins_after = 0;  ///< see change_history
  row_sum rows = {};
  std::vector<std::string> columns = {};  ///< their names, but `id`
};

void put_head(std::string& out, const history_head& h);
/// What the reader says of its state tells whether it is sound.
[[nodiscard]] history_head take_head(byte_reader& in);

void put_change(std::string& out, const past_change& c);
/// Its views are valid as long as the bytes and `assigned`. What the reader says of its state tells whether it is a
/// change of a table with `columns` columns, `id` included.
[[nodiscard]] past_change take_change(byte_reader& in, std::size_t columns, std::vector<column_index>& assigned);

/// Gives a change the rows that its kind has. False: they are no sound rows of so many columns.
[[nodiscard]] bool set_rows(past_change& c, std::string_view before, std::string_view after);

}  // namespace pubsubsql::storage::durable
