// A table's rows made equal to what a database outside holds.

#include <algorithm>

#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

void executor::read_values(const table& t, const table_differences::outside_row& row) {
  values_.assign(t.column_count(), std::nullopt);
  for (std::size_t column = 1; column < row.values.size() && column < values_.size(); ++column) {
    if (row.values[column]) values_[column] = *row.values[column];
  }
}

bool executor::has_free_keys(const table& t, row_number except) const {
  return !check_keys(t, assigned_, except).has_value();
}

executor::failure executor::make_equal(table& t, const table_differences& d, const table_description* outside) {
  reclaim();
  begin();
  who_ = {};
  if (outside != nullptr) {
    for (const table_description::column& c : outside->columns) {
      if (c.dropped || t.find_column(c.name)) continue;
      if (auto failed = check_new_column(t, c.name)) return failed;
      const bool has_facts = t.is_declared() && c.facts;  // those of other tables are learnt
      log_.add_column(t, c.name, has_facts ? &*c.facts : nullptr);
    }
  }
  for (column_index column = 1; column < t.column_count(); ++column) {
    if (!t.is_dropped(column)) assigned_.push_back(column);
  }
  if (t.shows_id()) sent_.push_back(id_column);
  sent_.insert(sent_.end(), assigned_.begin(), assigned_.end());

  for (const row_number row : d.only_here) log_.erase(t, row);
  // A row may want a key that another one of them gives up: those are taken out first and put back below.
  std::vector<std::pair<row_position, const table_differences::outside_row*>> to_insert;
  for (const table_differences::outside_row& row : d.different) {
    read_values(t, row);
    if (has_free_keys(t, row.here)) {
      log_.update(t, row.here, values_, assigned_);
    } else {
      to_insert.emplace_back(t.get(row.here).position(), &row);
      log_.erase(t, row.here);
    }
  }
  for (const table_differences::outside_row& row : d.only_outside) {
    to_insert.emplace_back(d.ids_are_outside ? row.position : back_position(t.next_id()), &row);
    if (!d.ids_are_outside) t.skip_ids(t.next_id() + 1);
  }
  for (const auto& [position, row] : to_insert) {
    read_values(t, *row);
    if (auto failed = check_keys(t, assigned_, no_row)) return failed;
    log_.insert_at(t, position, values_, assigned_);
  }
  if (outside == nullptr) return std::nullopt;
  for (const table_description::column& c : outside->columns) {
    if (c.dropped) continue;
    const column_index column = *t.find_column(c.name);
    if (c.index == index_kind::none || t.index_of(column) != index_kind::none) continue;
    if (const auto shared = log_.add_index(t, column, c.index)) return key_over_duplicates(t.name(), c.name, *shared);
  }
  return add_missing_indexes(t, *outside);
}

/// Those with a name that the table has outside. Its primary key is what it is.
executor::failure executor::add_missing_indexes(table& t, const table_description& outside) {
  for (const index_description& index : outside.indexes) {
    if (index.type == parser::index_type::primary || t.find_ordered_index(index.name) != nullptr) continue;
    const auto column_here = [&](column_index column) {
      return column == id_column ? std::optional(id_column) : t.find_column(outside.columns[column - 1].name);
    };
    const auto is_gone = [&](column_index column) { return !column_here(column); };
    if (std::ranges::any_of(index.columns, is_gone)) continue;
    index_description made = index;
    for (column_index& column : made.columns) column = *column_here(column);
    if (const auto shared = log_.add_ordered_index(t, std::move(made))) {
      return duplicate_key(t.name(), index.name, *shared);
    }
  }
  return std::nullopt;
}

std::optional<error> executor::check_repair(std::string_view table, const table_differences& d,
                                            const table_description* outside) {
  failure failed = make_equal(*find_table(table), d, outside);
  undo();
  return failed;
}

const outcome& executor::repair(std::string_view table, const table_differences& d, const table_description* outside) {
  storage::table& t = *find_table(table);
  if (failure failed = make_equal(t, d, outside)) {
    undo();
    outcome_ = {};
    outcome_.failure = std::move(failed);
    return outcome_;
  }
  if (outside != nullptr) t.learn(*outside);
  derive_events();
  outcome_.kind = reply_kind::count;
  outcome_.about = &t;
  outcome_.action = "mysqlRepair";
  outcome_.rows = d.size();
  outcome_.events = events_;
  outcome_.changes = log_.changes();
  return outcome_;
}

void executor::pin(std::string_view table, bool pinned) {
  if (storage::table* t = find_table(table)) t->pin(pinned);
}

}  // namespace pubsubsql::storage
