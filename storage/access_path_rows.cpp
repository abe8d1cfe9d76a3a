// The rows that the way chosen leads to.

#include <algorithm>
#include <utility>

#include "storage/access_path.hpp"

namespace pubsubsql::storage {

bool access_path::is_in_table_order(const part& p) const {
  switch (p.from) {
    case source::ids:
    case source::key:
    case source::tag:
      return p.atom->values.size() == 1;
    case source::id_range:
    case source::scan:
      return !p.descending;
    case source::index:
      return false;
  }
  return false;
}

bool access_path::visit(row_visitor visitor) const {
  const part& first = parts_.front();
  if (parts_.size() == 1 && (first.ordered || is_in_table_order(first))) return visit_part(first, visitor);
  std::vector<std::pair<row_position, row_number>> rows;
  const auto collect = [&](row_number row) {
    rows.emplace_back(table_.get(row).position(), row);
    return true;
  };
  for (const part& p : parts_) visit_part(p, collect);
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return std::ranges::all_of(rows, [&](const auto& row) { return visitor(row.second); });
}

void access_path::find(std::vector<row_number>& out) const {
  visit([&](row_number row) {
    out.push_back(row);
    return true;
  });
}

bool access_path::visit_part(const part& p, row_visitor visitor) const {
  const row_directory& all = table_.directory();
  switch (p.from) {
    case source::ids:
    case source::key:
    case source::tag:
      return visit_values(p, visitor);
    case source::id_range:
      if (p.first_id > p.last_id) return true;
      if (p.descending) return all.visit_back(back_position(p.first_id), back_position(p.last_id), visitor);
      return all.visit(front_position(p.last_id), front_position(p.first_id), visitor) &&
             all.visit(back_position(p.first_id), back_position(p.last_id), visitor);
    case source::scan:
      return p.descending ? all.visit_back(INT64_MIN, INT64_MAX, visitor) : all.visit(INT64_MIN, INT64_MAX, visitor);
    case source::index:
      return visit_index(p, visitor);
  }
  return true;
}

bool access_path::visit_values(const part& p, row_visitor visitor) const {
  if (p.from == source::tag) {
    for (const std::string& text : p.atom->values) {
      const auto* positions = table_.tagged(p.atom->column)->find(text);
      if (positions == nullptr) continue;
      for (const row_position position : *positions) {
        if (!visitor(*table_.directory().find(position))) return false;
      }
    }
    return true;
  }
  std::vector<row_number> rows;
  for (const std::string& text : p.atom->values) table_.find_equal(p.atom->column, text, rows);
  return std::ranges::all_of(rows, visitor);
}

bool access_path::visit_index(const part& p, row_visitor visitor) const {
  const auto visit_range = [&](const key_range& r) {
    return p.ordered ? p.index->visit_ordered(r, p.order_columns, p.descending, visitor) : p.index->visit(r, visitor);
  };
  const std::vector<key_range>& ranges = p.found.ranges;
  if (p.descending) return std::all_of(ranges.rbegin(), ranges.rend(), visit_range);
  return std::all_of(ranges.begin(), ranges.end(), visit_range);
}

}  // namespace pubsubsql::storage
