// What statements write into columns: texts as they are, or what a column's type makes of them.

#include <algorithm>
#include <charconv>
#include <limits>

#include "parser/keywords.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage {

namespace {

value to_value(const parser::literal& l) {
  return l.is_null ? value{} : value{l.text};
}

constexpr std::size_t max_digits = std::numeric_limits<std::uint64_t>::digits10 + 1;

}  // namespace

/// MySQL takes the bare words for the numbers that a boolean is.
std::string_view executor::number_of_word(const parser::literal& l) {
  if (parser::equals_keyword(l.text, "true")) return "1";
  if (parser::equals_keyword(l.text, "false")) return "0";
  return l.text;
}

/// The word `default` for a column.
executor::failure executor::write_default(const table& t, column_index column) {
  if (const sql::bound_expression* given = t.default_of(column)) return write_computed(t, column, *given, {});
  if (t.is_nullable(column) || column == t.auto_increment_column() || column == id_column) {
    return write_text(t, column, std::nullopt);
  }
  return to_error(sql::no_default({.table = t.name(), .column = t.column_name(column)}));
}

sql::column_label executor::label_of(const table& t, column_index column) const {
  return {.table = t.name(), .column = t.column_name(column), .row = row_of_statement_};
}

/// The id that an insert gives itself; NULL and 0 leave it to the table, as for any AUTO_INCREMENT column.
executor::failure executor::write_id(const table& t, const value& v) {
  given_id_.reset();
  if (!v || (*v == "0" && t.auto_increment_column() == id_column)) return std::nullopt;
  std::uint64_t id = 0;
  const char* const end = v->data() + v->size();
  const auto [stop, problem] = std::from_chars(v->data(), end, id);
  if (problem != std::errc{} || stop != end || id > row_id_max) return id_out_of_range(*v);
  given_id_ = id;
  return std::nullopt;
}

executor::failure executor::write_text(const table& t, column_index column, const value& v) {
  if (!v && !t.is_nullable(column) && column != t.auto_increment_column()) {
    return to_error(sql::cannot_be_null(label_of(t, column)));
  }
  value stored = v;
  if (const sql::column_type* type = v ? t.type_of(column) : nullptr) {
    sql::evaluation e(row_memory_, who_.now_us, &budget_);
    stored = sql::canonical_text(e, *type, *v, label_of(t, column));
    if (e.failure() && t.is_declared()) return to_error(*e.failure());
    if (e.failure()) stored = v;  // the database outside, whose column it is, has the last word
  }
  return write_stored(t, column, stored);
}

/// A value as the column stores it.
executor::failure executor::write_stored(const table& t, column_index column, const value& stored) {
  if (column == id_column) return write_id(t, stored);
  values_[column] = stored;
  return std::nullopt;
}

executor::failure executor::write_computed(const table& t, column_index column, const sql::bound_expression& from,
                                           const sql::expression_input& in) {
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  e.set_strict(t.is_declared());
  const sql::datum d = from.evaluate(in, e);
  if (e.failure()) return to_error(*e.failure());
  const sql::column_type* const type = t.type_of(column);
  if (type == nullptr || d.is_null()) return write_text(t, column, sql::value_of(e, d));
  const value stored = sql::canonical_value(e, *type, d, label_of(t, column));
  if (e.failure()) return to_error(*e.failure());
  return write_stored(t, column, stored);
}

executor::failure executor::write_value(const table& t, column_index column, const parser::literal& l,
                                        const sql::expression_input& in) {
  if (l.computed != nullptr) {
    sql::name_scope names = scope_of(nullptr);
    sql::bound_expression bound;
    if (auto failed = sql::bound_expression::bind(*l.computed, names, bound)) return failed;
    if (auto failed = write_computed(t, column, bound, in)) return failed;
    // A constant lies in the expression, which goes now.
    if (column != id_column && values_[column]) {
      values_[column] = sql::evaluation(row_memory_, who_.now_us, &budget_).keep(*values_[column]);
    }
    return std::nullopt;
  }
  if (l.is_default && t.is_declared()) return write_default(t, column);
  if (!t.is_typed()) {
    values_[column] = to_value(l);
    return std::nullopt;
  }
  const sql::column_type* const type = t.type_of(column);
  const bool is_number = type != nullptr && type->is_number() && !l.is_null;
  return write_text(t, column, is_number ? value{number_of_word(l)} : to_value(l));
}

executor::failure executor::write_assigned(const table& t, column_index column, const assigned_value& v,
                                           const sql::expression_input& in) {
  if (v.computed) return write_computed(t, column, *v.computed, in);
  return write_value(t, column, *v.literal, in);
}

// Columns that an insert does not name

/// Columns that are given a value belong to those that the statement writes.
executor::failure executor::find_defaults(const table& t) {
  const std::size_t named = assigned_.size();
  const auto counter = t.auto_increment_column();
  const bool needs_id = t.takes_ids() && counter != id_column;
  if (needs_id && std::ranges::find(assigned_, id_column) == assigned_.end()) {
    return to_error(sql::no_default({.table = t.name(), .column = t.column_name(id_column)}));
  }
  for (const column_index column : t.all_columns()) {
    if (column == id_column) continue;
    const auto end = assigned_.begin() + static_cast<std::ptrdiff_t>(named);
    const bool is_named = std::find(assigned_.begin(), end, column) != end;
    // A NULL asks for the next number, too.
    if (column == counter || (!is_named && t.default_of(column) != nullptr)) {
      defaulted_.push_back(column);
      if (!is_named) assigned_.push_back(column);
    } else if (!is_named && !t.is_nullable(column)) {
      return to_error(sql::no_default({.table = t.name(), .column = t.column_name(column)}));
    }
  }
  return std::nullopt;
}

executor::failure executor::write_defaults(table& t) {
  for (const column_index column : defaulted_) {
    if (t.auto_increment_column() == column) {
      if (auto failed = write_next_number(t, column)) return failed;
    } else if (auto failed = write_computed(t, column, *t.default_of(column), {})) {
      return failed;
    }
  }
  return std::nullopt;
}

executor::failure executor::write_next_number(table& t, column_index column) {
  const value& given = values_[column];
  if (given && *given != "0") {
    std::int64_t number = 0;
    std::from_chars(given->data(), given->data() + given->size(), number);
    if (number > 0) t.skip_numbers(static_cast<std::uint64_t>(number) + 1);
    return std::nullopt;
  }
  const std::uint64_t next = t.take_number();
  auto* const digits = static_cast<char*>(row_memory_.allocate(max_digits, 1));
  const auto end = std::to_chars(digits, digits + max_digits, next).ptr;
  return write_text(t, column, std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

// Columns by name

executor::failure executor::resolve_written(table& t, std::string_view name, std::vector<column_index>& columns,
                                            column_index& out) {
  if (auto failed = find_or_add_column(t, name, out)) return failed;
  if (out == id_column && !t.takes_ids()) return read_only_id(t.name());
  if (t.is_own(out) && !who_.by_server) return own_column(t.name(), name);
  if (std::ranges::find(columns, out) != columns.end()) return repeated_column(name);
  columns.push_back(out);
  return std::nullopt;
}

executor::failure executor::resolve_assigned(table& t, std::string_view name) {
  column_index column = id_column;
  return resolve_written(t, name, assigned_, column);
}

}  // namespace pubsubsql::storage
