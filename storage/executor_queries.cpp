// Statements that only read.

#include <algorithm>
#include <functional>

#include "parser/subqueries.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/shown_bytes.hpp"

namespace pubsubsql::storage {

namespace {

/// MySQL's word for what a column is indexed by.
std::string_view key_word(const table& t, column_index column) {
  const auto primary = t.primary_key();
  if (std::ranges::find(primary, column) != primary.end()) return "PRI";
  if (column == id_column || t.index_of(column) == index_kind::key) return "UNI";
  bool leads = t.index_of(column) == index_kind::tag;
  for (const auto& index : t.ordered_indexes()) {
    if (index->columns().front() != column) continue;
    if (index->unique() && index->columns().size() == 1) return "UNI";
    leads = true;
  }
  return leads ? "MUL" : "";
}

}  // namespace

/// Rows that meet one equality, the condition that most statements have.
executor::failure executor::find_equal(const table& t, const row_choice& choice) {
  const parser::condition& where = *choice.where;
  const auto column = find_column(t, where.column);
  if (!column) return unknown_column(t.name(), where.column);
  if (where.value.is_null) return std::nullopt;
  if (t.compares_texts(*column)) {
    t.find_equal(*column, where.value.text, found_);
    return std::nullopt;
  }
  row_search search;
  if (auto failed = search.bind(t, {.where = choice.where}, scope_of(&t))) return failed;
  return run_search(search);
}

executor::failure executor::run_search(row_search& search, bool strict) {
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  e.set_strict(strict);
  search.find(e, row_memory_, found_);
  if (e.failure()) return to_error(*e.failure());
  return std::nullopt;
}

/// Whether no ordered index can find the rows of an equality faster.
bool executor::is_looked_up(const table& t, std::string_view column_name) {
  if (t.ordered_indexes().empty()) return true;
  const auto column = t.find_column(column_name);
  return column && *column != id_column && t.index_of(*column) != index_kind::none && t.compares_texts(*column);
}

executor::failure executor::find_rows(const table& t, const row_choice& choice) {
  const bool is_ordered = choice.limit || (choice.order_by != nullptr && !choice.order_by->empty());
  if (!is_ordered && !choice.where) {
    t.find_all(found_);
    return std::nullopt;
  }
  if (!is_ordered && choice.where->predicate == nullptr && is_looked_up(t, choice.where->column)) {
    return find_equal(t, choice);
  }
  row_search search;
  if (auto failed = search.bind(t, choice, scope_of(&t))) return failed;
  return run_search(search, choice.for_change && t.is_declared());
}

executor::failure executor::project(const table& t, const parser::projection& columns) {
  if (columns.all) {
    outcome_.columns = t.all_columns();
    return std::nullopt;
  }
  if (columns.names.size() > query::columns_max) return too_many_shown_columns(query::columns_max);
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

/// What the names of the columns take in each message.
std::size_t executor::shown_names() const {
  std::size_t bytes = 0;
  for (const std::string_view title : outcome_.titles) bytes += shown_bytes(value{title});
  if (!outcome_.titles.empty()) return bytes;
  for (const column_index column : outcome_.columns) bytes += shown_bytes(value{outcome_.about->column_name(column)});
  return bytes;
}

/// At most that, without reading names of the table.
std::size_t executor::shown_names_max() const {
  return outcome_.titles.empty() ? outcome_.columns.size() * shown_bytes_max(limits_.name_bytes_max) : shown_names();
}

/// Whether the rows to be shown are no more than a result may have. Byte by byte they are looked at only if they might.
executor::failure executor::check_result() {
  const std::span<const column_index> columns = outcome_.columns;
  const std::size_t bytes_max = limits_.result_bytes_max;
  std::size_t stored = 0;
  for (const row_view row : data_) stored += row.size();
  const std::size_t names = shown_names_bytes(shown_names_max(), data_.size());
  const auto fits = [&](std::size_t repeats) {
    return names + shown_rows_bytes_max(data_.size(), stored, columns.size(), repeats) <= bytes_max;
  };
  if (fits(columns.size()) || fits(column_repeats())) return std::nullopt;
  std::size_t bytes = shown_names_bytes(shown_names(), data_.size());
  for (const row_view row : data_) {
    if (bytes > bytes_max) break;
    bytes += shown_bytes(row, columns);
  }
  if (bytes > bytes_max) return result_too_large(bytes_max);
  return std::nullopt;
}

void executor::place_rows(const table& t, std::string_view action) {
  data_.reserve(found_.size());
  for (const row_number row : found_) data_.push_back(t.get(row));
  outcome_.kind = reply_kind::rows;
  outcome_.about = &t;
  outcome_.action = action;
  outcome_.rows = data_.size();
  outcome_.data = data_;
}

executor::failure executor::show_rows(const table& t, std::string_view action) {
  place_rows(t, action);
  return check_result();
}

executor::failure executor::run(const parser::select_statement& s) {
  const table* t = s.table.empty() ? nullptr : named_table(s.table);
  if (t == nullptr && !s.table.empty()) return unknown_table(s.table);
  if (!s.columns.items.empty() || s.distinct || !s.group_by.empty() || s.having != nullptr || t == nullptr) {
    return select_computed(t, s);
  }
  if (auto failed = project(*t, s.columns)) return failed;
  const row_choice choice{.where = guard(s.table, {parser::right::select}, s.where),
                          .order_by = &s.order_by,
                          .limit = s.limit,
                          .list = &s.columns};
  if (auto failed = find_rows(*t, choice)) return failed;
  return show_rows(*t, "select");
}

executor::failure executor::select_computed(const table* t, const parser::select_statement& s) {
  const sql::name_scope names = scope_of(t);
  query& q = query_.emplace(limits_.result_bytes_max);
  if (auto failed = q.bind(s, names)) return failed;
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  if (t == nullptr) {
    q.add({}, e);
  } else {
    row_search search;
    if (auto failed = search.bind(*t, {.where = guard(s.table, {parser::right::select}, s.where)}, names))
      return failed;
    search.visit(e, row_memory_, [&](row_number, row_view row) {
      q.add(row, e);
      return !q.has_enough();
    });
  }
  return finish_query(t, q, e, "select");
}

/// All rows are in the query: its result is the outcome's.
executor::failure executor::finish_query(const table* t, query& q, sql::evaluation& e, std::string_view action) {
  if (!e.failure()) q.finish(e);
  if (e.failure()) return to_error(*e.failure());
  if (q.is_too_large()) return result_too_large(limits_.result_bytes_max);
  outcome_.kind = reply_kind::listing;
  outcome_.about = t;
  outcome_.action = action;
  outcome_.rows = q.row_count();
  outcome_.listing_columns = q.titles();
  outcome_.listing_rows = q.values();
  return std::nullopt;
}

/// `returning` with expressions, computed for the rows in `data_`.
executor::failure executor::show_computed(const table& t, const parser::projection& list) {
  query& q = query_.emplace(limits_.result_bytes_max);
  if (auto failed = q.bind({.columns = list, .table = {}, .where = {}}, scope_of(&t))) return failed;
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  for (const row_view row : data_) q.add(row, e);
  return finish_query(&t, q, e, outcome_.action);
}

/// What the subqueries of the statement give, those in them first.
executor::failure executor::run_inner(const parser::statement_body& body) {
  subqueries_.clear();
  parser::subqueries_of(body, subqueries_);
  if (subqueries_.empty()) return std::nullopt;
  if (who_.inner_results != nullptr) {
    for (std::size_t i = 0; i < subqueries_.size(); ++i) inner_.emplace_back(subqueries_[i], (*who_.inner_results)[i]);
    return std::nullopt;
  }
  for (const parser::select_statement* s : subqueries_) {
    sql::inner_result result;
    if (auto failed = run_subquery(*s, result)) return failed;
    inner_.emplace_back(s, std::move(result));
  }
  return std::nullopt;
}

const sql::inner_result& executor::result_of(const parser::select_statement* s) const {
  return std::ranges::find(inner_, s, &sql::inner_results::value_type::first)->second;
}

executor::failure executor::run_subquery(const parser::select_statement& s, sql::inner_result& out) {
  const table* t = s.table.empty() ? nullptr : find_table(s.table);
  if (t == nullptr && !s.table.empty()) return unknown_table(s.table);
  if (auto failed = select_computed(t, s)) return failed;
  out.types = query_->types();
  const std::size_t width = out.types.size();
  for (std::size_t at = 0; at < query_->values().size(); at += width) {
    auto& row = out.rows.emplace_back();
    for (std::size_t i = 0; i < width; ++i) {
      const value& v = query_->values()[at + i];
      row.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
    }
  }
  outcome_ = {};  // is the statement's
  return std::nullopt;
}

std::optional<error> executor::select_inner(const parser::statement& s, const database::caller& who,
                                            sql::inner_result& out) {
  reclaim();
  begin();
  who_ = who;
  if (auto failed = run_inner(s.body)) return failed;
  return run_subquery(std::get<parser::select_statement>(s.body), out);
}

executor::failure executor::run(const parser::peek_statement& s) {
  const table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = project(*t, s.columns)) return failed;
  std::optional<row_number> row;
  if (auto failed = find_end(*t, s.end, {parser::right::select}, row)) return failed;
  if (row) found_.push_back(*row);
  return show_rows(*t, "select");
}

executor::failure executor::run(const parser::describe_statement& s) {
  static constexpr std::string_view columns[] = {"Field", "Type", "Null", "Key", "Default", "Extra"};
  const table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  for (const column_index column : t->all_columns()) {
    const bool id = column == id_column;
    const column_facts* facts = t->facts_of(column);
    const std::string_view name = t->column_name(column);
    const std::string_view key = key_word(*t, column);
    if (facts != nullptr) {
      const value default_text = facts->default_text ? value{*facts->default_text} : value{};
      listing_.insert(listing_.end(), {name, facts->type.empty() ? std::string_view("text") : facts->type,
                                       facts->nullable ? "YES" : "NO", key, default_text, facts->extra});
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
