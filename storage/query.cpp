#include "storage/query.hpp"

#include <algorithm>
#include <utility>

#include "storage/errors.hpp"
#include "storage/shown_bytes.hpp"
#include "storage/sql/order_key.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

void query::add_title(std::string_view title, const sql::column_type& type) {
  titles_.push_back(title);
  types_.push_back(type);
  names_bytes_ += shown_bytes(value{title});
}

std::optional<error> query::bind_all_columns(const sql::name_scope& names) {
  if (names.of == nullptr) return nothing_to_show();
  for (const column_index column : names.of->all_columns()) {
    columns_.push_back(sql::bound_expression::of_column(*names.of, column));
    add_title(names.of->column_name(column), columns_.back().type());
  }
  return std::nullopt;
}

std::optional<error> query::bind_columns(const parser::select_statement& s, sql::name_scope& names) {
  if (s.columns.all) return bind_all_columns(names);
  if (s.columns.names.size() > columns_max) return too_many_shown_columns(columns_max);
  for (const std::string_view name : s.columns.names) {
    const parser::expression column{.op = parser::operation::column, .text = name, .source = name};
    if (auto failed = sql::bound_expression::bind(column, names, columns_.emplace_back())) return failed;
    add_title(name, columns_.back().type());
  }
  for (const parser::select_item& item : s.columns.items) {
    if (columns_.size() > columns_max) break;
    if (item.value->op == parser::operation::all_columns) {
      if (auto failed = bind_all_columns(names)) return failed;
      continue;
    }
    if (auto failed = sql::bound_expression::bind(*item.value, names, columns_.emplace_back())) return failed;
    add_title(item.alias.empty() ? item.value->source : item.alias, columns_.back().type());
  }
  if (columns_.size() > columns_max) return too_many_shown_columns(columns_max);
  return std::nullopt;
}

std::optional<error> query::bind(const parser::select_statement& s, sql::name_scope names) {
  distinct_ = s.distinct;
  names.aggregates = &aggregates_;
  if (auto failed = bind_columns(s, names)) return failed;
  names.aliases = &s.columns;
  names.aggregates = nullptr;
  for (const parser::expression* e : s.group_by) {
    bool out_of_list = false;
    const auto place = listed_expression(*e, &s.columns, out_of_list);
    if (out_of_list) return unknown_place(e->text, "group statement");
    if (auto failed = sql::bound_expression::bind(place ? *place : *e, names, group_by_.emplace_back())) {
      constexpr int aggregate_out_of_place = 1111;
      if (place && failed->mysql_code == aggregate_out_of_place) {
        failed->mysql_code = 1056;
        failed->sqlstate = "42000";
        failed->message = "Can't group on '" + std::string(place->source) + "'";
      }
      return failed;
    }
  }
  has_groups_ = !s.group_by.empty();
  names.aliases_first = true;
  names.aggregates = &aggregates_;
  if (s.having != nullptr) {
    if (auto failed = sql::bound_expression::bind(*s.having, names, having_.emplace())) return failed;
  }
  return order_.bind(s.order_by, s.limit, &s.columns, names);
}

std::string_view query::keep(std::string_view text) {
  auto* const copy = static_cast<char*>(texts_.allocate(text.size(), 1));
  std::ranges::copy(text, copy);  // which may have no characters to point to
  return {copy, text.size()};
}

query::group query::make_group(row_view first) const {
  group g{.first = first, .aggregates = {}};
  for (const sql::aggregate_call& call : aggregates_) g.aggregates.emplace_back(call.kind, call.distinct);
  return g;
}

query::group& query::group_of(row_view row, sql::evaluation& e) {
  key_.clear();
  for (const sql::bound_expression& by : group_by_) sql::append_identity_key(key_, by.evaluate({.row = row}, e));
  const auto [it, is_new] = group_by_key_.try_emplace(key_, groups_.size());
  if (is_new) {
    e.hold(key_.size() + sizeof(group) + aggregates_.size() * sizeof(sql::aggregate));
    groups_.push_back(make_group(row));
  }
  return groups_[it->second];
}

void query::add(row_view row, sql::evaluation& e) {
  const sql::expression_input in{.row = row};
  if (is_grouped()) {
    group& g = group_of(row, e);
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      const sql::aggregate_call& call = aggregates_[i];
      sql::aggregate& a = g.aggregates[i];
      const std::size_t before = a.held_bytes();
      a.add(call.counts_rows ? sql::datum::integer(1) : call.argument.evaluate(in, e));
      if (a.held_bytes() > before) e.hold(a.held_bytes() - before);
    }
  } else if (distinct_) {
    if (having_ && !having_->is_true(in, e)) return;
    const auto number = static_cast<std::uint32_t>(columns_.empty() ? 0 : computed_.size() / columns_.size());
    if (compute(in, e)) order_.add(number, in, e);
  } else if (!having_ || having_->is_true(in, e)) {
    order_.add(static_cast<std::uint32_t>(rows_.size()), in, e);
    rows_.push_back(row);
  }
}

bool query::compute(const sql::expression_input& in, sql::evaluation& e) {
  key_.clear();
  row_.clear();
  for (const sql::bound_expression& column : columns_) {
    const sql::datum d = column.evaluate(in, e);
    if (distinct_) sql::append_identity_key(key_, d);
    // A column by itself is shown as it is stored.
    const auto stored = in.row.data() == nullptr ? std::nullopt : column.as_column();
    const value v = stored && *stored != id_column ? in.row.at(*stored) : sql::value_of(e, d);
    row_.push_back(v);
  }
  if (distinct_) {
    if (!seen_.insert(key_).second) return false;
    e.hold(key_.size());
  }
  if (computed_.size() / columns_.size() % rows_per_message == 0) shown_bytes_ += names_bytes_;
  for (const value& v : row_) {
    shown_bytes_ += shown_bytes(v);
    computed_.push_back(v ? value{keep(*v)} : value{});
  }
  e.hold(columns_.size() * 2 * sizeof(value));  // here and in the result
  return true;
}

void query::finish_groups(sql::evaluation& e) {
  if (groups_.empty() && !has_groups_) {  // aggregates of no rows
    groups_.push_back(make_group({}));
  }
  std::uint32_t number = 0;
  std::vector<sql::datum> results;
  for (const group& g : groups_) {
    if (is_too_large()) return;
    results.clear();
    for (const sql::aggregate& a : g.aggregates) results.push_back(a.result(e));
    const sql::expression_input in{.row = g.first, .aggregates = results};
    if (having_ && !having_->is_true(in, e)) continue;
    if (compute(in, e)) order_.add(number++, in, e);
  }
}

void query::show(std::size_t computed_row) {
  const auto first = computed_.begin() + static_cast<std::ptrdiff_t>(computed_row * columns_.size());
  values_.insert(values_.end(), first, first + static_cast<std::ptrdiff_t>(columns_.size()));
}

void query::finish(sql::evaluation& e) {
  if (is_grouped()) finish_groups(e);
  std::vector<std::uint32_t> wanted;
  order_.take(wanted);
  if (is_grouped() || distinct_) {
    for (const std::uint32_t row : wanted) show(row);
    return;
  }
  for (std::size_t i = 0; i < wanted.size() && !is_too_large(); ++i) {
    const row_view row = rows_[wanted[i]];
    compute({.row = row}, e);
    show(computed_.size() / columns_.size() - 1);
  }
}

}  // namespace pubsubsql::storage
