// Statements that only read.

#include <algorithm>
#include <functional>

#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

executor::failure executor::find_rows(const table& t, const std::optional<parser::condition>& where) {
  if (!where) {
    t.find_all(found_);
    return std::nullopt;
  }
  const auto column = find_column(t, where->column);
  if (!column) return unknown_column(t.name(), where->column);
  if (!where->value.is_null) t.find_equal(*column, where->value.text, found_);
  return std::nullopt;
}

executor::failure executor::project(const table& t, const parser::projection& columns) {
  if (columns.all) {
    outcome_.columns = t.all_columns();
    return std::nullopt;
  }
  for (const std::string_view name : columns.names) {
    const auto column = find_column(t, name);
    if (!column) return unknown_column(t.name(), name);
    projection_.push_back(*column);
  }
  outcome_.columns = projection_;
  return std::nullopt;
}

/// How often the reply names the column that it names most often: so many times the bytes of its rows it has at most.
std::size_t executor::column_repeats() {
  const std::span<const column_index> columns = outcome_.columns;
  if (std::ranges::adjacent_find(columns, std::ranges::greater_equal{}) == columns.end()) return 1;
  sorted_.assign(columns.begin(), columns.end());
  std::ranges::sort(sorted_);
  std::size_t most = 1;
  for (auto first = sorted_.begin(); first != sorted_.end();) {
    const auto last = std::upper_bound(first, sorted_.end(), *first);
    most = std::max(most, static_cast<std::size_t>(last - first));
    first = last;
  }
  return most;
}

executor::failure executor::check_result() {
  const std::size_t repeats = column_repeats();
  std::size_t bytes = 0;
  for (const row_view row : data_) bytes += row.size() * repeats;
  if (bytes > limits_.result_bytes_max) return result_too_large(limits_.result_bytes_max);
  return std::nullopt;
}

executor::failure executor::show_rows(const table& t, std::string_view action) {
  data_.reserve(found_.size());
  for (const row_number row : found_) data_.push_back(t.get(row));
  outcome_.kind = reply_kind::rows;
  outcome_.about = &t;
  outcome_.action = action;
  outcome_.rows = data_.size();
  outcome_.data = data_;
  return check_result();
}

executor::failure executor::run(const parser::select_statement& s) {
  const table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = project(*t, s.columns)) return failed;
  if (auto failed = find_rows(*t, s.where)) return failed;
  return show_rows(*t, "select");
}

executor::failure executor::run(const parser::peek_statement& s) {
  const table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = project(*t, s.columns)) return failed;
  if (t->row_count() > 0) found_.push_back(t->end_row(s.end));
  return show_rows(*t, "select");
}

executor::failure executor::run(const parser::describe_statement& s) {
  static constexpr std::string_view columns[] = {"Field", "Type", "Null", "Key", "Default", "Extra"};
  const table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  for (const column_index column : t->all_columns()) {
    const bool id = column == id_column;
    const index_kind index = t->index_of(column);
    const column_facts* facts = t->facts_of(column);
    const std::string_view name = t->column_name(column);
    const std::string_view key = id ? "PRI" : index == index_kind::key ? "UNI" : index == index_kind::tag ? "MUL" : "";
    if (facts != nullptr) {
      const value default_text = facts->default_text ? value{*facts->default_text} : value{};
      listing_.insert(listing_.end(),
                      {name, facts->type, facts->nullable ? "YES" : "NO", key, default_text, facts->extra});
    } else {
      listing_.insert(listing_.end(),
                      {name, id ? "bigint" : "text", id ? "NO" : "YES", key, std::nullopt, id ? "auto_increment" : ""});
    }
  }
  outcome_.kind = reply_kind::listing;
  outcome_.about = t;
  outcome_.action = "describe";
  outcome_.rows = t->all_columns().size();
  outcome_.listing_columns = columns;
  outcome_.listing_rows = listing_;
  return std::nullopt;
}

}  // namespace pubsubsql::storage
