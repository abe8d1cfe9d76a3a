#include "storage/row_heap.hpp"

#include <algorithm>
#include <cstring>

namespace pubsubsql::storage {

namespace {

/// Small enough that moving one segment's rows is a matter of tens of microseconds, large enough that the allocator
/// takes it from the system and gives it back there.
constexpr std::size_t segment_bytes_max = 256U << 10;
/// A table of a few rows should not cost more than a page.
constexpr std::size_t segment_bytes_min = 4U << 10;
/// Rows above this get a segment of their own: appended to a shared one they would leave too much of it unused.
constexpr std::size_t shared_row_bytes_max = segment_bytes_max / 8;
/// Garbage is let be until it is a quarter of what is in use: then reclaiming copies at most three bytes for each
/// freed.
constexpr std::size_t garbage_divisor = 4;

}  // namespace

row_number row_heap::take_number() {
  if (blocks_with_space_.empty()) {
    blocks_with_space_.insert(static_cast<std::uint32_t>(blocks_.size()));
    blocks_.emplace_back();
  }
  const std::uint32_t index = *blocks_with_space_.begin();
  auto& block = blocks_[index];
  if (!block) {
    block = std::make_unique_for_overwrite<entry_block>();
    for (std::uint32_t i = 0; i < block_entries; ++i) block->entries[i] = {free_entry, i + 1};
    block->entries[block_entries - 1].offset = no_entry;
    block->live = 0;
    block->first_free = 0;
  }
  const std::uint32_t slot = block->first_free;
  block->first_free = block->entries[slot].offset;
  if (++block->live == block_entries) blocks_with_space_.erase(blocks_with_space_.begin());
  return index * block_entries + slot;
}

void row_heap::give_back_number(row_number number) {
  const std::uint32_t index = number / block_entries;
  auto& block = blocks_[index];
  if (block->live-- == block_entries) blocks_with_space_.insert(index);
  block->entries[number % block_entries] = {free_entry, block->first_free};
  block->first_free = number % block_entries;
  if (block->live > 0) return;
  block.reset();
  while (!blocks_.empty() && !blocks_.back()) {
    blocks_with_space_.erase(static_cast<std::uint32_t>(blocks_.size() - 1));
    blocks_.pop_back();
  }
}

std::uint32_t row_heap::add_segment(std::size_t row_bytes) {
  const std::size_t shared = std::clamp(live_bytes_, segment_bytes_min, segment_bytes_max);
  const std::size_t capacity = std::max(row_bytes, shared);
  std::uint32_t index;
  if (free_segments_.empty()) {
    index = static_cast<std::uint32_t>(segments_.size());
    segments_.emplace_back();
  } else {
    index = free_segments_.back();
    free_segments_.pop_back();
  }
  segments_[index] = {.bytes = std::make_unique_for_overwrite<char[]>(capacity),
                      .capacity = static_cast<std::uint32_t>(capacity)};
  capacity_bytes_ += capacity;
  return index;
}

row_heap::space row_heap::append(std::string_view row) {
  std::uint32_t index = tail_;
  if (row.size() > shared_row_bytes_max) {
    index = add_segment(row.size());
  } else if (tail_ == no_segment || segments_[tail_].capacity - segments_[tail_].used < row.size()) {
    index = tail_ = add_segment(row.size());
  }
  segment& s = segments_[index];
  const std::uint32_t offset = s.used;
  std::memcpy(s.bytes.get() + offset, row.data(), row.size());
  s.used += static_cast<std::uint32_t>(row.size());
  s.live_bytes += static_cast<std::uint32_t>(row.size());
  used_bytes_ += row.size();
  live_bytes_ += row.size();
  return {index, offset};
}

void row_heap::free_segment(std::uint32_t index) {
  used_bytes_ -= segments_[index].used;
  capacity_bytes_ -= segments_[index].capacity;
  segments_[index] = {};
  free_segments_.push_back(index);
  if (index == tail_) tail_ = no_segment;
}

void row_heap::discard(const entry& where) {
  segment& s = segments_[where.segment];
  const auto bytes = static_cast<std::uint32_t>(row_view(s.bytes.get() + where.offset).size());
  s.live_bytes -= bytes;
  live_bytes_ -= bytes;
  if (s.live_bytes == 0) free_segment(where.segment);
}

row_number row_heap::insert(std::string_view row) {
  const row_number number = take_number();
  const space to = append(row);
  at(number) = {to.segment, to.offset};
  std::memcpy(segments_[to.segment].bytes.get() + to.offset, &number, sizeof number);
  ++size_;
  return number;
}

void row_heap::replace(row_number number, std::string_view row) {
  const entry before = at(number);
  char* old = segments_[before.segment].bytes.get() + before.offset;
  const auto room = static_cast<std::uint32_t>(row_view(old).size());
  if (row.size() <= room && row.size() >= room / 2) {
    // The spare bytes stay with the row: its size must lead to the next row of the segment.
    std::memcpy(old, row.data(), row.size());
    std::memcpy(old, &number, sizeof number);
    std::memcpy(old + sizeof number, &room, sizeof room);
    return;
  }
  const space to = append(row);
  std::memcpy(segments_[to.segment].bytes.get() + to.offset, &number, sizeof number);
  at(number) = {to.segment, to.offset};
  discard(before);
}

void row_heap::erase(row_number number) {
  const entry where = at(number);
  give_back_number(number);
  discard(where);
  --size_;
}

std::size_t row_heap::memory_bytes() const {
  std::size_t blocks = 0;
  for (const auto& block : blocks_) blocks += block ? sizeof(entry_block) : 0;
  return capacity_bytes_ + blocks + segments_.capacity() * sizeof(segment);
}

bool row_heap::too_much_garbage() const {
  return used_bytes_ - live_bytes_ > std::max(used_bytes_ / garbage_divisor, segment_bytes_max);
}

std::uint32_t row_heap::emptiest_segment() const {
  std::uint32_t best = no_segment;
  std::uint32_t best_garbage = 0;
  for (std::uint32_t i = 0; i < segments_.size(); ++i) {
    const std::uint32_t garbage = segments_[i].used - segments_[i].live_bytes;
    if (i != tail_ && garbage > best_garbage) {
      best = i;
      best_garbage = garbage;
    }
  }
  return best;
}

void row_heap::evacuate(std::uint32_t index) {
  // The bytes are taken out first: appending may reallocate segments_, and must not choose this one.
  const std::unique_ptr<char[]> bytes = std::move(segments_[index].bytes);
  const std::uint32_t used = segments_[index].used;
  for (std::uint32_t offset = 0; offset < used;) {
    const row_view row(bytes.get() + offset);
    const row_number number = row.number();
    const bool live = number / block_entries < blocks_.size() && blocks_[number / block_entries] &&
                      at(number).segment == index && at(number).offset == offset;
    if (live) {
      live_bytes_ -= row.size();
      const space to = append({row.data(), row.size()});
      at(number) = {to.segment, to.offset};
    }
    offset += static_cast<std::uint32_t>(row.size());
  }
  free_segment(index);
}

bool row_heap::maintain() {
  if (!too_much_garbage()) return false;
  const std::uint32_t victim = emptiest_segment();
  if (victim == no_segment) return false;
  evacuate(victim);
  return too_much_garbage();
}

}  // namespace pubsubsql::storage
