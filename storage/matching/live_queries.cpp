#include "storage/matching/live_queries.hpp"

#include <algorithm>
#include <utility>

#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// Tells queries of a row that is there.
void enter_row(std::span<live_query* const> queries, row_view row, std::int64_t now_us, match_budget& budget) {
  budget.begin_rows(1, row.size());
  for (live_query* const q : queries) {
    if (q->is_over) continue;
    q->enter(row, now_us, budget.start());
    budget.charge(*q);
  }
}

std::size_t size_of(row_view row) {
  return row.data() == nullptr ? 0 : row.size();
}

}  // namespace

live_query& live_queries::enter(std::unique_ptr<live_query> made, std::int64_t now_us, sql::work_budget& budget) {
  auto it = std::ranges::find(queries_, made->key(), [](const auto& q) { return q->key(); });
  if (it == queries_.end()) it = queries_.insert(it, std::move(made));
  live_query& q = **it;
  refresh(q, now_us, budget);
  return q;
}

void live_queries::refresh(live_query& q, std::int64_t now_us, sql::work_budget& budget) {
  if (q.validity == live_query::state::good) return;
  live_query* const one = &q;
  match_budget of_statement;
  of_statement.begin(budget);
  enter_all({&one, 1}, now_us, of_statement);
  q.settle(budget);
  q.validity = budget.steps_left > 0 ? live_query::state::good : live_query::state::unknown;
}

void live_queries::drop(live_query& q) {
  queries_.erase(std::ranges::find(queries_, &q, [](const auto& one) { return one.get(); }));
}

void live_queries::bind(live_query& q) {
  q.bind(*table_);
  if (q.validity == live_query::state::good) q.validity = live_query::state::bound_anew;
}

void live_queries::column_added(std::string_view name, column_index column) {
  for (const auto& q : queries_) {
    if (q->reads(name, column)) bind(*q);
  }
}

void live_queries::column_leaves(column_index column) {
  for (const auto& q : queries_) {
    if (q->reads(table_->column_name(column), column)) unbound_.push_back(q.get());
  }
}

void live_queries::column_left() {
  for (live_query* q : std::exchange(unbound_, {})) bind(*q);
}

void live_queries::columns_changed() {
  for (const auto& q : queries_) bind(*q);
}

void live_queries::rows_taken_back() {
  for (const auto& q : queries_) q->validity = live_query::state::unknown;
}

/// The net result for each row: as it was before the first change of it, and as it is now.
void live_queries::collect(std::span<const change> changes) {
  rows_.clear();
  for (const change& c : changes) {
    if (!is_about_rows(c.kind)) continue;
    const row_view any = c.kind == change_kind::delete_row ? c.before : c.after;
    rows_.push_back({.position = any.position(), .before = c.before});
  }
  std::ranges::stable_sort(rows_, {}, &row_change::position);
  const auto same = [](const row_change& a, const row_change& b) { return a.position == b.position; };
  rows_.erase(std::unique(rows_.begin(), rows_.end(), same), rows_.end());
  for (row_change& r : rows_) {
    if (const auto row = table_->directory().find(r.position)) r.after = table_->get(*row);
  }
}

std::vector<live_query*> live_queries::queries_that_are(live_query::state validity) const {
  std::vector<live_query*> out;
  for (const auto& q : queries_) {
    if (q->validity == validity && !q->is_over) out.push_back(q.get());
  }
  return out;
}

void live_queries::enter_all(std::span<live_query* const> queries, std::int64_t now_us, match_budget& budget) {
  if (queries.empty()) return;
  for (live_query* const q : queries) q->clear();
  table_->directory().for_each([&](row_number row) { enter_row(queries, table_->get(row), now_us, budget); });
}

/// The rows that there were before the statement.
void live_queries::enter_all_before(std::span<live_query* const> queries, const statement_result& result,
                                    match_budget& budget) {
  if (queries.empty()) return;
  for (live_query* const q : queries) q->clear();
  std::size_t bytes = 0;
  const auto enter = [&](row_view row) {
    bytes += row.size();
    enter_row(queries, row, result.now_us, budget);
  };
  table_->directory().for_each([&](row_number number) {
    const row_view row = table_->get(number);
    if (result.find(row.position()) == nullptr) enter(row);
  });
  for (const row_change& r : result.rows) {
    if (r.before.data() != nullptr) enter(r.before);
  }
  budget.begin_rows(table_->row_count(), bytes);
  for (live_query* const q : queries) {
    if (q->is_over) continue;
    q->settle(budget.start());
    budget.charge(*q);
    q->validity = live_query::state::good;
  }
}

/// Tells the queries that have the rows as they were of what has changed. Returns the bytes of those rows.
std::size_t live_queries::change_rows(const statement_result& result, match_budget& budget) {
  const std::vector<live_query*> queries = queries_that_are(live_query::state::good);
  std::size_t bytes = 0;
  for (const row_change& r : result.rows) {
    const std::size_t of_row = size_of(r.before) + size_of(r.after);
    bytes += of_row;
    budget.begin_rows(1, of_row);
    for (live_query* const q : queries) {
      if (q->is_over) continue;
      q->change(r, result.now_us, budget.start());
      budget.charge(*q);
    }
  }
  return bytes;
}

void live_queries::tell(std::span<const change> changes, statement_result result, match_budget& budget,
                        std::vector<event>& out) {
  collect(changes);
  result.rows = rows_;
  enter_all_before(queries_that_are(live_query::state::unknown), result, budget);
  const std::size_t bytes = change_rows(result, budget);
  const std::vector<live_query*> bound_anew = queries_that_are(live_query::state::bound_anew);
  enter_all(bound_anew, result.now_us, budget);
  for (live_query* const q : bound_anew) q->validity = live_query::state::good;

  budget.begin_rows(bound_anew.empty() ? result.rows.size() : table_->row_count(), bytes);
  for (live_query* const q : queries_that_are(live_query::state::good)) {
    const auto told = static_cast<std::ptrdiff_t>(out.size());
    q->tell(result, budget.start(), out);
    budget.charge(*q);
    if (q->is_over) out.erase(out.begin() + told, out.end());  // it has run out of steps
  }
}

}  // namespace pubsubsql::storage::matching
