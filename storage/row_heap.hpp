#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <absl/container/btree_set.h>

#include "storage/row.hpp"

namespace pubsubsql::storage {

/// The bytes of a table's rows, packed without gaps, found by row number.
///
/// Rows are appended to segments (a log, after Rumble, Kejriwal and Ousterhout, "Log-structured Memory for DRAM-based
/// Storage", FAST 2014): no allocator overhead, no size classes. What updates and deletes leave behind is garbage; when
/// there is too much of it, maintain() moves the live rows of the emptiest segment away and frees it, so that memory
/// follows the data down as well as up. Indexes hold row numbers, which do not change when a row moves.
///
/// Invariants:
///  1. Exactly one entry in the row table points to each live row, and the row's bytes begin with its number.
///  2. A segment's live_bytes is the sum of the sizes of its live rows; only the last segment is appended to.
///  3. Rows move only inside maintain(); until then a view stays valid while its row is neither replaced nor erased.
class row_heap {
 public:
  row_heap() = default;
  row_heap(const row_heap&) = delete;
  row_heap& operator=(const row_heap&) = delete;

  /// Stores a row made by encode_row(). REQUIRES: size() < the largest row number.
  row_number insert(std::string_view row);

  /// Gives a row new bytes, in place where they fit.
  void replace(row_number number, std::string_view row);

  void erase(row_number number);

  [[nodiscard]] row_view get(row_number number) const {
    const entry& e = at(number);
    return row_view(segments_[e.segment].bytes.get() + e.offset);
  }

  // Have the memory fetched where get() looks for a live row, and where the row is. The second reads the first.
  void prefetch_place(row_number number) const { __builtin_prefetch(&at(number)); }
  void prefetch(row_number number) const {
    constexpr std::size_t line_bytes = 64;
    const char* const row = get(number).data();
    __builtin_prefetch(row, 1);
    __builtin_prefetch(row + line_bytes, 1);
  }

  /// Live rows.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Bytes of memory held.
  [[nodiscard]] std::size_t memory_bytes() const;

  /// Whether maintain() has something to do.
  [[nodiscard]] bool too_much_garbage() const;

  /// Reclaims at most one segment. Returns whether there is more to do. Invalidates views.
  bool maintain();

 private:
  /// Where a row is. A free entry has `segment` free_entry and links to the next free one of its block.
  struct entry {
    std::uint32_t segment;
    std::uint32_t offset;
  };
  struct segment {
    std::unique_ptr<char[]> bytes;
    std::uint32_t capacity = 0;
    std::uint32_t used = 0;
    std::uint32_t live_bytes = 0;
  };
  static constexpr std::uint32_t block_entries = 256;
  /// The row table comes in blocks, which are freed when empty.
  struct entry_block {
    entry entries[block_entries];
    std::uint32_t live = 0;
    std::uint32_t first_free = 0;
  };
  struct space {
    std::uint32_t segment;
    std::uint32_t offset;
  };

  [[nodiscard]] const entry& at(row_number n) const { return blocks_[n / block_entries]->entries[n % block_entries]; }
  [[nodiscard]] entry& at(row_number n) { return blocks_[n / block_entries]->entries[n % block_entries]; }

  row_number take_number();
  void give_back_number(row_number number);
  space append(std::string_view row);
  std::uint32_t add_segment(std::size_t row_bytes);
  void discard(const entry& where);
  void free_segment(std::uint32_t index);
  [[nodiscard]] std::uint32_t emptiest_segment() const;
  void evacuate(std::uint32_t index);

  std::vector<segment> segments_;
  std::vector<std::uint32_t> free_segments_;  // indexes of segments_ without memory
  std::uint32_t tail_ = no_segment;           // the segment appended to
  std::vector<std::unique_ptr<entry_block>> blocks_;
  absl::btree_set<std::uint32_t> blocks_with_space_;  // a block without memory has space too
  std::size_t size_ = 0;
  std::size_t live_bytes_ = 0;
  std::size_t used_bytes_ = 0;
  std::size_t capacity_bytes_ = 0;

  static constexpr std::uint32_t no_segment = UINT32_MAX;
  static constexpr std::uint32_t free_entry = UINT32_MAX;
  static constexpr std::uint32_t no_entry = UINT32_MAX;
};

}  // namespace pubsubsql::storage
