// Statements that add, change and remove rows.

#include <algorithm>

#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

namespace {

value to_value(const parser::literal& l) {
  return l.is_null ? value{} : value{l.text};
}

}  // namespace

executor::failure executor::check_writable(const table& t) const {
  if (t.read_only_reason().empty()) return std::nullopt;
  return read_only_table(t.name(), t.read_only_reason());
}

void executor::correct_values(const table& t) {
  if (who_.corrections == nullptr || corrected_ >= who_.corrections->size()) return;
  const auto& row = (*who_.corrections)[corrected_++];
  for (column_index column = 1; column < t.column_count(); ++column) {
    values_[column] = column <= row.size() && row[column - 1] ? value{*row[column - 1]} : value{};
  }
}

/// Columns that a store changed beside those of the statement are sent and indexed like those.
void executor::assign_corrected(const table& t) {
  if (who_.corrections == nullptr) return;
  for (std::size_t i = 0; i < std::min(found_.size(), who_.corrections->size()); ++i) {
    const auto& row = (*who_.corrections)[i];
    row_view::cursor columns(t.get(found_[i]));
    for (column_index column = 1; column < t.column_count(); ++column) {
      const value stored = column <= row.size() && row[column - 1] ? value{*row[column - 1]} : value{};
      if (columns.at(column) == stored || std::ranges::find(assigned_, column) != assigned_.end()) continue;
      assigned_.push_back(column);
    }
  }
}

executor::failure executor::check_row(const table& t) const {
  const std::size_t bytes = encoded_row_bytes(values_);
  if (bytes > limits_.row_bytes_max) return row_too_large(t.name(), bytes, limits_.row_bytes_max);
  return std::nullopt;
}

executor::failure executor::check_keys(const table& t, row_number except) const {
  for (const column_index column : assigned_) {
    if (t.index_of(column) != index_kind::key || !values_[column]) continue;
    const auto holder = t.find_key(column, *values_[column]);
    if (holder && *holder != except) return duplicate_key(t.name(), t.column_name(column), *values_[column]);
  }
  if (const ordered_index* index = t.find_violated(values_, assigned_, except)) {
    return duplicate_key(t.name(), index->name(), index->show_values(values_));
  }
  return std::nullopt;
}

executor::failure executor::finish_rows(const table& t, const std::optional<parser::projection>& returning,
                                        std::string_view action) {
  outcome_.about = &t;
  outcome_.action = action;
  if (!returning) {
    outcome_.kind = reply_kind::count;
    return std::nullopt;
  }
  if (auto failed = project(t, *returning)) return failed;
  for (const change& c : log_.changes()) {
    if (c.kind == change_kind::delete_row) {
      data_.push_back(c.before);
    } else if (c.kind == change_kind::insert_row || c.kind == change_kind::update_row) {
      data_.push_back(c.after);
    }
  }
  outcome_.kind = reply_kind::rows;
  outcome_.data = data_;
  return check_result();
}

executor::failure executor::add_row(table& t, std::span<const parser::literal> row, parser::queue_end end) {
  if (t.row_count() >= limits_.rows_max) return too_many_rows(t.name(), limits_.rows_max);
  values_.assign(t.column_count(), std::nullopt);
  for (std::size_t i = 0; i < row.size(); ++i) values_[assigned_[i]] = to_value(row[i]);
  correct_values(t);
  if (auto failed = check_row(t)) return failed;
  if (auto failed = check_keys(t, no_row)) return failed;
  log_.insert(t, end, values_, assigned_);
  return std::nullopt;
}

executor::failure executor::add_rows(const parser::row_source& source, parser::queue_end end, std::string_view action) {
  table* t = nullptr;
  if (auto failed = find_or_create(source.table, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  for (const std::string_view name : source.columns) {
    if (auto failed = resolve_assigned(*t, name)) return failed;
  }
  const std::span<const parser::literal> values = source.values;
  const std::size_t width = source.columns.size();
  for (std::size_t at = 0; at < values.size(); at += width) {
    if (auto failed = add_row(*t, values.subspan(at, width), end)) return failed;
  }
  outcome_.rows = values.size() / width;
  return finish_rows(*t, source.returning, action);
}

executor::failure executor::run(const parser::insert_statement& s) {
  return add_rows(s.rows, parser::queue_end::back, "insert");
}

executor::failure executor::run(const parser::push_statement& s) {
  return add_rows(s.rows, s.end, "push");
}

executor::failure executor::update_row(table& t, const parser::update_statement& s, row_number row) {
  values_.resize(t.column_count());
  row_view::cursor columns(t.get(row));
  for (column_index column = 1; column < t.column_count(); ++column) values_[column] = columns.at(column);
  for (std::size_t i = 0; i < s.set.size(); ++i) values_[assigned_[i]] = to_value(s.set[i].value);
  correct_values(t);
  if (auto failed = check_row(t)) return failed;
  if (auto failed = check_keys(t, row)) return failed;
  log_.update(t, row, values_, assigned_);
  return std::nullopt;
}

executor::failure executor::run(const parser::update_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  if (auto failed = find_rows(*t, s.where)) return failed;
  if (!found_.empty()) {
    for (const parser::assignment& a : s.set) {
      if (auto failed = resolve_assigned(*t, a.column)) return failed;
    }
    assign_corrected(*t);
    if (t->shows_id()) sent_.push_back(id_column);
    sent_.insert(sent_.end(), assigned_.begin(), assigned_.end());
  }
  for (const row_number row : found_) {
    if (auto failed = update_row(*t, s, row)) return failed;
  }
  outcome_.rows = found_.size();
  return finish_rows(*t, s.returning, "update");
}

executor::failure executor::run(const parser::delete_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = find_rows(*t, s.where)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  for (const row_number row : found_) log_.erase(*t, row);
  outcome_.rows = found_.size();
  return finish_rows(*t, s.returning, "delete");
}

executor::failure executor::run(const parser::pop_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  if (t->row_count() > 0) {
    log_.erase(*t, t->end_row(s.end));
    outcome_.rows = 1;
  }
  return finish_rows(*t, s.columns, "pop");
}

}  // namespace pubsubsql::storage
