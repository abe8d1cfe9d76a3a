#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_set.h>

#include "storage/row.hpp"
#include "storage/row_heap.hpp"
#include "storage/row_visitor.hpp"
#include "storage/sql/order_key.hpp"
#include "storage/table_description.hpp"

namespace pubsubsql::storage {

/// Order keys from `first` on and before `last`; an empty `last` is no bound.
struct key_range {
  std::string first;
  std::string last;
};

/// The smallest bytes that are greater than everything that begins with `key`; empty: there are none.
[[nodiscard]] std::string after_prefix(std::string_view key);

/// A table's rows ordered by one or more columns: a B-tree. Rows with equal values are in table order. NULLs are in it
/// and come first; in a unique index any number of rows may have one.
///
/// An entry is a row number and the first 8 bytes of the row's order key, the keys of its columns one after the other
/// (sql/order_key.hpp). Where those bytes do not tell, the whole keys are made from the rows. So a row takes about 17
/// bytes, and reading on from a place makes no keys at all.
///
/// Like its table it belongs to one thread, reading included.
class ordered_index {
 public:
  /// `types`: those of the columns, in their order; nullptr: it has none. `heap` holds the rows; it and the types must
  /// outlive the index.
  ordered_index(const row_heap& heap, index_description description, std::vector<const sql::column_type*> types);
  ordered_index(const ordered_index&) = delete;
  ordered_index& operator=(const ordered_index&) = delete;

  [[nodiscard]] const index_description& description() const { return description_; }
  [[nodiscard]] std::string_view name() const { return description_.name; }
  [[nodiscard]] std::span<const column_index> columns() const { return description_.columns; }
  [[nodiscard]] bool unique() const { return description_.type != parser::index_type::plain; }
  [[nodiscard]] bool has(column_index column) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // Changes

  /// Adds a row that is in the heap. REQUIRES: it is not in the index.
  void insert(row_number row);
  /// REQUIRES: the row is in the heap as it was when it was inserted.
  void erase(row_number row);
  /// Takes in many rows at once. Returns nothing, or for a unique index a row whose values another one has too, and the
  /// index is of no use then. REQUIRES: the index is empty.
  std::optional<row_number> build(std::span<const row_number> rows);

  /// The row that keeps one with these values out of a unique index. `values[i]` is column i; missing ones at the end
  /// are NULL.
  [[nodiscard]] std::optional<row_number> find_holder(std::span<const value> values) const;
  /// The values that the index has of a row, as errors show them: a-b.
  [[nodiscard]] std::string show_values(std::span<const value> values) const;

  // Reading. The index must not change while it is read.

  /// Appends the order key of a value of the column in this place of the index.
  void append_key(std::string& key, std::size_t place, const value& v) const {
    sql::append_order_key(key, types_[place], v);
  }
  /// Whether the column in this place has no type.
  [[nodiscard]] bool is_untyped(std::size_t place) const {
    return types_[place] == nullptr || types_[place]->is_untyped();
  }

  /// The rows whose keys are in the range, in the order of the index. Returns whether all were visited.
  bool visit(const key_range& range, row_visitor visitor) const;
  /// The same ordered by the first columns only, upward or downward; rows that are equal in them are in table order.
  bool visit_ordered(const key_range& range, std::size_t columns, bool descending, row_visitor visitor) const;
  /// How many rows are in the range; counts no further than `most`.
  [[nodiscard]] std::size_t count(const key_range& range, std::size_t most) const;

 private:
  /// 12 bytes, so no word in it.
  struct entry {
    std::uint32_t prefix_high;
    std::uint32_t prefix_low;
    row_number row;
    [[nodiscard]] std::uint64_t prefix() const { return std::uint64_t{prefix_high} << 32U | prefix_low; }
  };
  /// A place in the order: before the rows of this key that stand at this position or behind it. The key may also be a
  /// bound made of one.
  struct probe {
    std::string_view key;
    row_position position = INT64_MIN;
    std::uint64_t prefix = prefix_of(key);
  };
  struct less {
    using is_transparent = void;
    const ordered_index* index;
    bool operator()(const entry& a, const entry& b) const;
    bool operator()(const entry& e, const probe& p) const { return index->order(e, p) < 0; }
    bool operator()(const probe& p, const entry& e) const { return index->order(e, p) > 0; }
  };
  using tree = absl::btree_set<entry, less>;

  [[nodiscard]] static std::uint64_t prefix_of(std::string_view key);
  [[nodiscard]] static entry make_entry(std::string_view key, row_number row);
  [[nodiscard]] int order(const entry& e, const probe& p) const;
  /// The key of the first columns of a row; what `key` held is replaced.
  void make_key(std::string& key, row_view row, std::size_t columns) const;
  [[nodiscard]] bool has_texts(row_view row, std::span<const value> values) const;
  [[nodiscard]] tree::const_iterator lower_bound(std::string_view key) const;
  [[nodiscard]] tree::const_iterator end_of(const key_range& range) const;
  bool visit_run(tree::const_iterator first, tree::const_iterator last, bool in_table_order, row_visitor visitor) const;

  const row_heap& heap_;
  const index_description description_;
  const std::vector<const sql::column_type*> types_;

  // The row being inserted, whose key is at hand.
  std::string written_key_;
  row_number written_ = no_row;

  mutable std::string compared_key_;  // scratch
  tree entries_;
};

}  // namespace pubsubsql::storage
