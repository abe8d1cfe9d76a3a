#include "storage/row_directory.hpp"

namespace pubsubsql::storage {

void row_directory::insert(row_position position, row_number number) {
  group& g = groups_[group_of(position)];
  const std::uint64_t bit = bit_of(position);
  g.rows.insert(g.rows.begin() + rank(g.present, bit), number);
  g.present |= bit;
  ++size_;
}

void row_directory::erase(row_position position) {
  const auto it = groups_.find(group_of(position));
  group& g = it->second;
  const std::uint64_t bit = bit_of(position);
  g.rows.erase(g.rows.begin() + rank(g.present, bit));
  g.present &= ~bit;
  --size_;
  if (g.rows.empty()) {
    groups_.erase(it);
  } else if (g.rows.size() * 4 <= g.rows.capacity()) {
    g.rows.shrink_to_fit();
  }
}

std::optional<row_number> row_directory::find(row_position position) const {
  const auto it = groups_.find(group_of(position));
  if (it == groups_.end()) return std::nullopt;
  const group& g = it->second;
  const std::uint64_t bit = bit_of(position);
  if ((g.present & bit) == 0) return std::nullopt;
  return g.rows[static_cast<std::size_t>(rank(g.present, bit))];
}

row_directory::extent row_directory::extent_of(row_position number, const group& g, row_position first,
                                               row_position last) {
  extent e{.first = 0, .end = static_cast<std::ptrdiff_t>(g.rows.size())};
  if (number == group_of(first)) e.first = rank(g.present, bit_of(first));
  if (number == group_of(last)) e.end = rank(g.present, bit_of(last)) + ((g.present & bit_of(last)) != 0 ? 1 : 0);
  return e;
}

bool row_directory::visit(row_position first, row_position last, row_visitor visitor) const {
  if (first > last) return true;
  const auto end = groups_.upper_bound(group_of(last));
  for (auto it = groups_.lower_bound(group_of(first)); it != end; ++it) {
    const extent e = extent_of(it->first, it->second, first, last);
    for (std::ptrdiff_t i = e.first; i < e.end; ++i) {
      if (!visitor(it->second.rows[static_cast<std::size_t>(i)])) return false;
    }
  }
  return true;
}

bool row_directory::visit_back(row_position first, row_position last, row_visitor visitor) const {
  if (first > last) return true;
  const auto begin = groups_.lower_bound(group_of(first));
  for (auto it = groups_.upper_bound(group_of(last)); it != begin;) {
    --it;
    const extent e = extent_of(it->first, it->second, first, last);
    for (std::ptrdiff_t i = e.end; i > e.first; --i) {
      if (!visitor(it->second.rows[static_cast<std::size_t>(i - 1)])) return false;
    }
  }
  return true;
}

row_directory::item row_directory::front() const {
  const auto& [number, g] = *groups_.begin();
  return {(number << group_bits) + std::countr_zero(g.present), g.rows.front()};
}

row_directory::item row_directory::back() const {
  const auto& [number, g] = *groups_.rbegin();
  return {(number << group_bits) + (63 - std::countl_zero(g.present)), g.rows.back()};
}

}  // namespace pubsubsql::storage
