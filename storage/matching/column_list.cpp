#include "storage/matching/column_list.hpp"

#include <algorithm>

#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

void column_list::bind(const table& of) {
  columns_.clear();
  if (of.shows_id()) {
    columns_.push_back(id_column);
  } else {
    columns_.assign(of.primary_key().begin(), of.primary_key().end());
  }
  leading_ = columns_.size();
  for (const std::string& name : names_) {
    const auto column = of.find_column(name);
    if (column && std::ranges::find(columns_, *column) == columns_.end()) columns_.push_back(*column);
  }
  updates_.clear();
}

const column_list::update& column_list::update_of(std::uint64_t statement, std::span<const column_index> assigned) {
  if (statement_ != statement) updates_.clear();
  statement_ = statement;
  for (const update& u : updates_) {
    if (std::ranges::equal(u.assigned, assigned)) return u;
  }
  update& u = updates_.emplace_back();
  u.assigned.assign(assigned.begin(), assigned.end());
  const auto leading = std::span<const column_index>(columns_).first(leading_);
  u.shown.assign(leading.begin(), leading.end());
  for (const column_index column : assigned) {
    if (std::ranges::find(leading, column) != leading.end()) continue;
    if (std::ranges::find(columns_, column) != columns_.end()) u.shown.push_back(column);
  }
  return u;
}

bool differ(std::span<const column_index> columns, row_view before, row_view after) {
  return std::ranges::any_of(
      columns, [&](column_index column) { return column != id_column && before.at(column) != after.at(column); });
}

}  // namespace pubsubsql::storage::matching
