// A table's ordered indexes.

#include <algorithm>
#include <utility>

#include "storage/table.hpp"

namespace pubsubsql::storage {

const ordered_index* table::find_ordered_index(std::string_view name) const {
  const auto it = std::ranges::find(ordered_, name, [](const auto& index) { return index->name(); });
  return it == ordered_.end() ? nullptr : it->get();
}

std::span<const column_index> table::primary_key() const {
  static constexpr column_index id[] = {id_column};
  for (const auto& index : ordered_) {
    if (index->description().type == parser::index_type::primary) return index->columns();
  }
  if (primary_column_) return {&*primary_column_, 1};
  if (shows_id()) return id;
  return {};
}

std::unique_ptr<ordered_index> table::make_ordered_index(index_description description) const {
  std::vector<const sql::column_type*> types;
  for (const column_index column : description.columns) types.push_back(type_of(column));
  return std::make_unique<ordered_index>(heap_, std::move(description), std::move(types));
}

/// Takes the types from what is known of the columns. Indexes whose order is another now are built anew.
void table::read_types() {
  std::vector<std::unique_ptr<const sql::column_type>> before;  // what indexes refer to until they are built anew
  std::vector<column_index> changed;
  for (column_index column = 0; column < column_count(); ++column) {
    column_entry& c = columns_[column];
    if (!c.facts) continue;
    auto type = read_type(*c.facts);
    if (!type || (c.type && *c.type == *type)) continue;
    before.push_back(std::exchange(c.type, std::move(type)));
    changed.push_back(column);
  }
  for (auto& index : ordered_) {
    const auto has = [&](column_index column) { return index->has(column); };
    if (std::ranges::none_of(changed, has)) continue;
    std::vector<row_number> rows;
    find_all(rows);
    auto made = make_ordered_index(index->description());
    static_cast<void>(made->build(rows));
    index = std::move(made);
  }
}

std::optional<std::string> table::add_ordered_index(index_description description, std::size_t place) {
  auto index = make_ordered_index(std::move(description));
  std::vector<row_number> rows;
  find_all(rows);
  if (const auto repeated = index->build(rows)) {
    read_values(get(*repeated));
    return index->show_values(values_);
  }
  ordered_.insert(ordered_.begin() + static_cast<std::ptrdiff_t>(place), std::move(index));
  return std::nullopt;
}

void table::remove_ordered_index(std::size_t place) {
  ordered_.erase(ordered_.begin() + static_cast<std::ptrdiff_t>(place));
}

const ordered_index* table::find_violated_among(std::span<const value> values, std::span<const column_index> assigned,
                                                row_number except) const {
  for (const auto& index : ordered_) {
    if (!index->unique()) continue;
    const auto has = [&](column_index column) { return index->has(column); };
    if (except != no_row && std::ranges::none_of(assigned, has)) continue;
    const auto holder = index->find_holder(values);
    if (holder && *holder != except) return index.get();
  }
  return nullptr;
}

/// An index finds a row by its values, so it lets go of the row before they change and takes it in after.
row_view table::replace_ordered(row_number row, std::span<const value> values, std::span<const column_index> changed) {
  const row_view before = get(row);
  const auto differs = [&](column_index column) { return before.at(column) != values[column]; };
  moved_.clear();
  for (const auto& index : ordered_) {
    const auto moves = [&](column_index column) { return index->has(column) && differs(column); };
    if (std::ranges::any_of(changed, moves)) moved_.push_back(index.get());
  }
  for (ordered_index* index : moved_) index->erase(row);
  heap_.replace(row, encoded_);
  for (ordered_index* index : moved_) index->insert(row);
  return get(row);
}

const tag_index* table::tagged(column_index column) const {
  const auto* index = std::get_if<std::unique_ptr<tag_index>>(&columns_[column].index);
  return index == nullptr ? nullptr : index->get();
}

void table::find_holders(std::span<const value> values, std::vector<row_number>& out) const {
  for (const column_index column : indexed_columns_) {
    if (index_of(column) != index_kind::key || !values[column]) continue;
    if (const auto holder = find_key(column, *values[column])) out.push_back(*holder);
  }
  for (const auto& index : ordered_) {
    if (!index->unique()) continue;
    if (const auto holder = index->find_holder(values)) out.push_back(*holder);
  }
}

}  // namespace pubsubsql::storage
