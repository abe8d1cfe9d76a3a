#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <absl/container/btree_map.h>

#include "storage/row.hpp"
#include "storage/row_visitor.hpp"

namespace pubsubsql::storage {

/// A table's rows in order: from position to row number, about 4.5 bytes a row when positions are dense and little more
/// when most have been deleted.
///
/// Positions are grouped by 64. A group keeps a bitmap of those present and their row numbers packed in order, so a
/// look-up is a search among the groups and a population count.
class row_directory {
 public:
  struct item {
    row_position position;
    row_number number;
  };

  /// REQUIRES: nothing stands at `position`.
  void insert(row_position position, row_number number);
  /// REQUIRES: something stands at `position`.
  void erase(row_position position);

  [[nodiscard]] std::optional<row_number> find(row_position position) const;

  [[nodiscard]] std::size_t size() const { return size_; }

  /// REQUIRES: size() > 0.
  [[nodiscard]] item front() const;
  [[nodiscard]] item back() const;

  /// Calls visit(row_number) for each row, front to back. The directory must not change meanwhile.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [number, g] : groups_) {
      for (const row_number row : g.rows) visit(row);
    }
  }

  /// Visits the rows from one position to another, both included, front to back or back to front. Returns whether all
  /// were visited. The directory must not change meanwhile.
  bool visit(row_position first, row_position last, row_visitor visitor) const;
  bool visit_back(row_position first, row_position last, row_visitor visitor) const;

 private:
  static constexpr int group_bits = 6;

  struct group {
    std::uint64_t present = 0;
    std::vector<row_number> rows;
  };

  static row_position group_of(row_position position) { return position >> group_bits; }
  static std::uint64_t bit_of(row_position position) {
    return std::uint64_t{1} << (static_cast<std::uint64_t>(position) & ((1U << group_bits) - 1));
  }
  /// Where the group's rows between two positions begin and end among its rows.
  struct extent {
    std::ptrdiff_t first;
    std::ptrdiff_t end;
  };
  static extent extent_of(row_position number, const group& g, row_position first, row_position last);
  static std::ptrdiff_t rank(std::uint64_t present, std::uint64_t bit) { return std::popcount(present & (bit - 1)); }

  absl::btree_map<row_position, group> groups_;
  std::size_t size_ = 0;
};

}  // namespace pubsubsql::storage
