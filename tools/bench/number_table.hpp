#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/framed_client.hpp"

namespace bench {

/// A table of short rows: `k` a key of 12 characters, `g` a tag of 100 values, `a` and `b` numbers of five digits. Row
/// number N has the id N.
class number_table {
 public:
  explicit number_table(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] static std::string key(std::uint64_t row);

  /// Makes the table with its indexes, and no rows.
  void make(framed_client& c) const;
  /// Pipelined statements that insert rows, so many each, the first of which has this number.
  [[nodiscard]] script inserts(std::uint64_t first, std::uint64_t rows, std::uint64_t rows_a_statement = 1) const;
  /// Fills the empty table.
  void fill(framed_client& c, std::uint64_t rows) const;

  /// Gives a row's `a` a value as long as the one before, so that the row keeps its place.
  [[nodiscard]] std::string update(std::uint64_t row, std::uint64_t value) const;
  /// A statement whose reply comes after all that was sent before it on the connection.
  [[nodiscard]] std::string barrier() const { return "select id from " + name_ + " where id = 0"; }

 private:
  std::string name_;
};

}  // namespace bench
