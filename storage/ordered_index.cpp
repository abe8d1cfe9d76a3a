#include "storage/ordered_index.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pubsubsql::storage {

namespace {

constexpr std::size_t prefix_bytes = sizeof(std::uint64_t);

/// An id as text, for as long as this lives.
class id_text {
 public:
  explicit id_text(std::uint64_t id) : end_(std::to_chars(digits_, digits_ + sizeof digits_, id).ptr) {}
  [[nodiscard]] std::string_view get() const { return {digits_, static_cast<std::size_t>(end_ - digits_)}; }

 private:
  char digits_[20];
  const char* end_;
};

}  // namespace

std::string after_prefix(std::string_view key) {
  std::string after(key.substr(0, key.find_last_not_of('\xff') + 1));
  if (!after.empty()) after.back() = static_cast<char>(after.back() + 1);
  return after;
}

ordered_index::ordered_index(const row_heap& heap, index_description description,
                             std::vector<const sql::column_type*> types)
    : heap_(heap), description_(std::move(description)), types_(std::move(types)), entries_(less{.index = this}) {
  static_assert(sizeof(entry) == 12);
}

bool ordered_index::has(column_index column) const {
  return std::ranges::find(description_.columns, column) != description_.columns.end();
}

std::uint64_t ordered_index::prefix_of(std::string_view key) {
  unsigned char bytes[prefix_bytes] = {};
  std::copy_n(key.data(), std::min(key.size(), prefix_bytes), bytes);
  std::uint64_t prefix = 0;
  for (const unsigned char byte : bytes) prefix = prefix << 8U | byte;
  return prefix;
}

ordered_index::entry ordered_index::make_entry(std::string_view key, row_number row) {
  const std::uint64_t prefix = prefix_of(key);
  return {.prefix_high = static_cast<std::uint32_t>(prefix >> 32U),
          .prefix_low = static_cast<std::uint32_t>(prefix),
          .row = row};
}

void ordered_index::make_key(std::string& key, row_view row, std::size_t columns) const {
  key.clear();
  for (std::size_t place = 0; place < columns; ++place) {
    const column_index column = description_.columns[place];
    if (column == id_column) {
      append_key(key, place, id_text(row.id()).get());
    } else {
      append_key(key, place, row.at(column));
    }
  }
}

/// Negative: the entry is before the place.
int ordered_index::order(const entry& e, const probe& p) const {
  if (e.prefix() != p.prefix) return e.prefix() < p.prefix ? -1 : 1;
  const row_view row = heap_.get(e.row);
  if (p.key.size() > prefix_bytes) {
    make_key(compared_key_, row, types_.size());
    if (const int keys = std::string_view(compared_key_).compare(p.key); keys != 0) return keys;
  }
  // A shorter key is equal or the beginning of the other: no key is the beginning of another one, and no bound ends
  // with a zero byte that a key does not have.
  if (p.position == INT64_MIN) return 1;
  return row.position() < p.position ? -1 : row.position() > p.position ? 1 : 0;
}

bool ordered_index::less::operator()(const entry& a, const entry& b) const {
  if (a.prefix() != b.prefix()) return a.prefix() < b.prefix();
  if (a.row == b.row) return false;
  const auto written = [this](const entry& e) {
    return probe{.key = index->written_key_, .position = index->heap_.get(e.row).position()};
  };
  if (a.row == index->written_) return index->order(b, written(a)) > 0;
  if (b.row == index->written_) return index->order(a, written(b)) < 0;
  std::string key;
  index->make_key(key, index->heap_.get(b.row), index->types_.size());
  return index->order(a, {.key = key, .position = index->heap_.get(b.row).position()}) < 0;
}

void ordered_index::insert(row_number row) {
  make_key(written_key_, heap_.get(row), types_.size());
  written_ = row;
  entries_.insert(make_entry(written_key_, row));
  written_ = no_row;
}

void ordered_index::erase(row_number row) {
  const row_view before = heap_.get(row);
  make_key(written_key_, before, types_.size());
  entries_.erase(entries_.find(probe{.key = written_key_, .position = before.position()}));
}

std::optional<row_number> ordered_index::build(std::span<const row_number> rows) {
  struct unsorted {
    std::size_t key;  // where it begins in `keys`
    std::size_t bytes;
    row_number row;
  };
  std::string keys;
  std::vector<unsorted> all;
  all.reserve(rows.size());
  for (const row_number row : rows) {
    make_key(written_key_, heap_.get(row), types_.size());
    all.push_back({.key = keys.size(), .bytes = written_key_.size(), .row = row});
    keys += written_key_;
  }
  const auto key_of = [&keys](const unsorted& u) { return std::string_view(keys).substr(u.key, u.bytes); };
  std::ranges::sort(all, [&](const unsorted& a, const unsorted& b) {
    const int order = key_of(a).compare(key_of(b));
    return order != 0 ? order < 0 : heap_.get(a.row).position() < heap_.get(b.row).position();
  });
  std::vector<value> values;
  for (const unsorted& u : all) {
    const bool repeats = unique() && !entries_.empty() && prefix_of(key_of(u)) == entries_.rbegin()->prefix();
    if (repeats) {
      const row_view row = heap_.get(u.row);
      values.resize(*std::ranges::max_element(description_.columns) + std::size_t{1});
      for (column_index column = 1; column < values.size(); ++column) values[column] = row.at(column);
      if (find_holder(values)) return u.row;
    }
    written_key_ = key_of(u);
    written_ = u.row;
    entries_.insert(entries_.end(), make_entry(written_key_, u.row));
  }
  written_ = no_row;
  return std::nullopt;
}

/// In columns without a type, numbers that are written otherwise are other values, though their keys are equal.
bool ordered_index::has_texts(row_view row, std::span<const value> values) const {
  for (std::size_t place = 0; place < types_.size(); ++place) {
    const column_index column = description_.columns[place];
    if (is_untyped(place) && row.at(column) != values[column]) return false;
  }
  return true;
}

std::optional<row_number> ordered_index::find_holder(std::span<const value> values) const {
  std::string key;
  for (std::size_t place = 0; place < types_.size(); ++place) {
    const column_index column = description_.columns[place];
    if (column == id_column || column >= values.size() || !values[column]) return std::nullopt;
    append_key(key, place, values[column]);
  }
  std::optional<row_number> holder;
  const std::string last = after_prefix(key);
  visit({.first = std::move(key), .last = last}, [&](row_number row) {
    if (has_texts(heap_.get(row), values)) holder = row;
    return !holder.has_value();
  });
  return holder;
}

std::string ordered_index::show_values(std::span<const value> values) const {
  std::string shown;
  for (const column_index column : description_.columns) {
    if (!shown.empty()) shown += '-';
    shown += column < values.size() ? values[column].value_or("NULL") : "NULL";
  }
  return shown;
}

ordered_index::tree::const_iterator ordered_index::lower_bound(std::string_view key) const {
  return key.empty() ? entries_.begin() : entries_.lower_bound(probe{.key = key});
}

ordered_index::tree::const_iterator ordered_index::end_of(const key_range& range) const {
  return range.last.empty() ? entries_.end() : lower_bound(range.last);
}

bool ordered_index::visit(const key_range& range, row_visitor visitor) const {
  const auto last = end_of(range);
  for (auto at = lower_bound(range.first); at != last; ++at) {
    if (!visitor(at->row)) return false;
  }
  return true;
}

bool ordered_index::visit_run(tree::const_iterator first, tree::const_iterator last, bool in_table_order,
                              row_visitor visitor) const {
  if (in_table_order || std::next(first) == last) {
    for (; first != last; ++first) {
      if (!visitor(first->row)) return false;
    }
    return true;
  }
  std::vector<std::pair<row_position, row_number>> rows;
  for (; first != last; ++first) rows.emplace_back(heap_.get(first->row).position(), first->row);
  std::ranges::sort(rows);
  return std::ranges::all_of(rows, [&](const auto& row) { return visitor(row.second); });
}

bool ordered_index::visit_ordered(const key_range& range, std::size_t columns, bool descending,
                                  row_visitor visitor) const {
  const bool whole = columns == types_.size();
  if (whole && !descending) return visit(range, visitor);
  auto first = lower_bound(range.first);
  auto last = end_of(range);
  std::string key;
  while (first != last) {
    auto run_first = first;
    auto run_last = last;
    const auto end = descending ? std::prev(last) : first;
    if (whole && (end == first || std::prev(end)->prefix() != end->prefix())) {
      run_first = end;
    } else {
      make_key(key, heap_.get(end->row), columns);
      if (descending) {
        if (key > range.first) run_first = lower_bound(key);
      } else {
        const std::string after = after_prefix(key);
        if (!after.empty() && (range.last.empty() || after < range.last)) run_last = lower_bound(after);
      }
    }
    if (!visit_run(run_first, run_last, whole, visitor)) return false;
    (descending ? last : first) = descending ? run_first : run_last;
  }
  return true;
}

std::size_t ordered_index::count(const key_range& range, std::size_t most) const {
  std::size_t counted = 0;
  visit(range, [&](row_number) { return ++counted < most; });
  return counted;
}

}  // namespace pubsubsql::storage
