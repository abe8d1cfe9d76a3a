#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <absl/container/flat_hash_set.h>

#include "storage/row.hpp"
#include "storage/row_heap.hpp"

namespace pubsubsql::storage {

/// A hash index of a column whose values are unique (`key`). NULLs are not in it, so many rows may have none.
///
/// An entry is a row number and the hash of its value, 9 bytes with the table's own; the value itself stays in the row.
/// Keeping the hash lets the index grow without touching the rows.
class unique_index {
 public:
  /// `heap` holds the rows and must outlive the index.
  unique_index(const row_heap& heap, column_index column);

  /// The row whose value this is.
  [[nodiscard]] std::optional<row_number> find(std::string_view text) const;

  // Looking ahead: many rows are found faster when the memory for all of them is fetched at the same time.

  /// Has the memory fetched that find(text) and insert(text) read first. Returns what guess() wants.
  [[nodiscard]] std::uint32_t prefetch(std::string_view text) const;
  /// The row that find() of the text will probably give, by its hash alone: no row is looked at.
  [[nodiscard]] std::optional<row_number> guess(std::uint32_t hash) const;

  /// REQUIRES: find(text) gives nothing.
  void insert(std::string_view text, row_number row);

  /// REQUIRES: insert(text, row) was called. The row's bytes are not looked at.
  void erase(std::string_view text, row_number row);

 private:
  struct entry {
    row_number row;
    std::uint32_t hash;
  };
  struct probe {
    std::string_view text;
    std::uint32_t hash;
  };
  /// Equals what has the same hash.
  struct hash_only {
    std::uint32_t hash;
  };
  struct hasher {
    using is_transparent = void;
    // The stored half of the hash is spread over a word again: the set takes its bits from both ends.
    static std::size_t spread(std::uint32_t hash) { return hash * std::size_t{0x9e3779b97f4a7c15U}; }
    std::size_t operator()(const entry& e) const { return spread(e.hash); }
    std::size_t operator()(const probe& p) const { return spread(p.hash); }
    std::size_t operator()(const hash_only& h) const { return spread(h.hash); }
  };
  struct equal {
    using is_transparent = void;
    const row_heap* heap;
    column_index column;
    bool operator()(const entry& a, const entry& b) const { return a.row == b.row; }
    bool operator()(const entry& e, const probe& p) const {
      return e.hash == p.hash && heap->get(e.row).at(column) == p.text;
    }
    bool operator()(const probe& p, const entry& e) const { return (*this)(e, p); }
    bool operator()(const entry& e, const hash_only& h) const { return e.hash == h.hash; }
    bool operator()(const hash_only& h, const entry& e) const { return (*this)(e, h); }
  };

  static std::uint32_t hash_of(std::string_view text);

  absl::flat_hash_set<entry, hasher, equal> entries_;
};

}  // namespace pubsubsql::storage
