#include "storage/statement_log.hpp"

#include <cstring>

namespace pubsubsql::storage {

namespace {

/// A statement over a whole table leaves long vectors behind; more than this is given back.
constexpr std::size_t kept_changes_max = 4096;

}  // namespace

void statement_log::begin() {
  table_ = nullptr;
  changes_.clear();
  if (changes_.capacity() > kept_changes_max) changes_.shrink_to_fit();
  copies_.release();
}

change& statement_log::append(table& t, change_kind kind) {
  table_ = &t;
  change& c = changes_.emplace_back();
  c.kind = kind;
  c.sequence = t.next_sequence();
  return c;
}

row_view statement_log::keep(row_view row) {
  auto* copy = static_cast<char*>(copies_.allocate(row.size(), 1));
  std::memcpy(copy, row.data(), row.size());
  return row_view(copy);
}

void statement_log::created(table& t) {
  append(t, change_kind::create_table);
}

column_index statement_log::add_column(table& t, std::string_view name) {
  change& c = append(t, change_kind::add_column);
  c.column = t.add_column(name);
  return c.column;
}

std::optional<std::string_view> statement_log::add_index(table& t, column_index column, index_kind kind) {
  if (const auto shared = t.add_index(column, kind)) return shared;
  append(t, kind == index_kind::key ? change_kind::add_key : change_kind::add_tag).column = column;
  return std::nullopt;
}

void statement_log::insert(table& t, parser::queue_end end, std::span<const value> values) {
  append(t, change_kind::insert_row).after = t.insert(end, values);
}

void statement_log::update(table& t, row_number row, std::span<const value> values,
                           std::span<const column_index> assigned) {
  change& c = append(t, change_kind::update_row);
  c.before = keep(t.get(row));
  c.assigned = assigned;
  c.after = t.update(row, values, assigned);
}

void statement_log::erase(table& t, row_number row) {
  append(t, change_kind::delete_row).before = keep(t.get(row));
  t.erase(row);
}

void statement_log::undo(const change& c) {
  switch (c.kind) {
    case change_kind::create_table:
      break;  // the database drops it
    case change_kind::add_column:
      table_->remove_last_column();
      break;
    case change_kind::add_key:
    case change_kind::add_tag:
      table_->remove_index(c.column);
      break;
    case change_kind::insert_row:
      table_->undo_insert(c.after);
      break;
    case change_kind::update_row:
      table_->undo_update(c.before, c.assigned);
      break;
    case change_kind::delete_row:
      table_->undo_erase(c.before);
      break;
  }
  table_->undo_sequence();
}

bool statement_log::undo() {
  for (auto c = changes_.rbegin(); c != changes_.rend(); ++c) undo(*c);
  const bool table_goes = !changes_.empty() && changes_.front().kind == change_kind::create_table;
  changes_.clear();
  return table_goes;
}

}  // namespace pubsubsql::storage
