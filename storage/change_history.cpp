#include "storage/change_history.hpp"

#include <algorithm>
#include <cstring>

namespace pubsubsql::storage {

namespace {

std::size_t size_of(row_view row) {
  return row.data() == nullptr ? 0 : row.size();
}

}  // namespace

bool parts_history(const change& c) {
  const bool is_primary = c.index == parser::index_type::primary;
  return c.kind == change_kind::drop_column || c.kind == change_kind::drop_table ||
         c.kind == change_kind::create_table || (c.kind == change_kind::add_key && is_primary) ||
         (c.kind == change_kind::add_index && is_primary) || (c.kind == change_kind::drop_index && is_primary);
}

change_history::change_history(std::uint64_t position, history_totals* totals)
    : begins_after_(position), totals_(totals) {}

change_history::~change_history() {
  if (totals_ != nullptr) totals_->bytes -= bytes_;
}

void change_history::count_in(history_totals& totals) {
  if (totals_ != nullptr) totals_->bytes -= bytes_;
  totals_ = &totals;
  totals_->bytes += bytes_;
}

void change_history::append(const past_change& c) {
  if (c.sequence <= begins_after_) return;
  const std::size_t before = size_of(c.before);
  const std::size_t after = size_of(c.after);
  const std::size_t bytes = c.assigned.size_bytes() + before + after;
  entry& e = entries_.emplace_back();
  e.change = c;
  e.memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
  auto* const columns = reinterpret_cast<column_index*>(e.memory.get());
  std::uninitialized_copy(c.assigned.begin(), c.assigned.end(), columns);
  e.change.assigned = {columns, c.assigned.size()};
  auto* const rows = reinterpret_cast<char*>(columns + c.assigned.size());
  if (before > 0) {
    std::memcpy(rows, c.before.data(), before);
    e.change.before = row_view(rows);
  }
  if (after > 0) {
    std::memcpy(rows + before, c.after.data(), after);
    e.change.after = row_view(rows + before);
  }
  e.bytes = sizeof(entry) + bytes;
  bytes_ += e.bytes;
  if (totals_ != nullptr) totals_->bytes += e.bytes;
}

void change_history::forget(std::size_t bytes) {
  bytes_ -= bytes;
  if (totals_ != nullptr) totals_->bytes -= bytes;
}

void change_history::undo_to(std::uint64_t position) {
  while (!entries_.empty() && entries_.back().change.sequence > position) {
    forget(entries_.back().bytes);
    entries_.pop_back();
  }
  begins_after_ = std::min(begins_after_, position);
}

void change_history::begin_after(std::uint64_t position) {
  while (!entries_.empty() && entries_.front().change.sequence <= position) forget_first();
  begins_after_ = std::max(begins_after_, position);
}

void change_history::forget_first() {
  begins_after_ = entries_.front().change.sequence;
  forget(entries_.front().bytes);
  entries_.pop_front();
}

void change_history::trim(std::size_t bytes_max, std::int64_t oldest_us) {
  while (!entries_.empty() && (bytes_ > bytes_max || entries_.front().change.time_us < oldest_us)) forget_first();
}

std::size_t change_history::place_after(std::uint64_t position) const {
  const auto at = std::ranges::upper_bound(entries_, position, {}, [](const entry& e) { return e.change.sequence; });
  return static_cast<std::size_t>(at - entries_.begin());
}

bool change_history::reaches_back_to(std::uint64_t position, std::uint64_t present) const {
  if (position < begins_after_ || position > present) return false;
  const std::size_t next = place_after(position);
  const std::uint64_t last = next == 0 ? begins_after_ : entries_[next - 1].change.sequence;
  const std::uint64_t until = next == entries_.size() ? present : entries_[next].change.sequence - 1;
  return position == last || position == until;
}

change_history::reader change_history::after(std::uint64_t position) const {
  return {*this, place_after(position)};
}

const past_change* change_history::reader::next() {
  return at_ == of_.entries_.size() ? nullptr : &of_.entries_[at_++].change;
}

}  // namespace pubsubsql::storage
