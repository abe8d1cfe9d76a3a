#include "storage/matching/live_queries.hpp"

#include <algorithm>
#include <utility>

#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

live_query& live_queries::enter(std::unique_ptr<live_query> made, std::int64_t now_us) {
  auto it = std::ranges::find(queries_, made->key(), [](const auto& q) { return q->key(); });
  if (it == queries_.end()) it = queries_.insert(it, std::move(made));
  live_query& q = **it;
  refresh(q, now_us);
  return q;
}

void live_queries::refresh(live_query& q, std::int64_t now_us) {
  if (q.validity == live_query::state::good) return;
  q.clear();
  enter_all(q, now_us);
  q.settle();
  q.validity = live_query::state::good;
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

void live_queries::enter_all(live_query& q, std::int64_t now_us) {
  table_->directory().for_each([&](row_number row) { q.enter(table_->get(row), now_us); });
}

/// The rows that there were before the statement.
void live_queries::enter_rows_before(live_query& q, const statement_result& result) {
  table_->directory().for_each([&](row_number number) {
    const row_view row = table_->get(number);
    if (result.find(row.position()) == nullptr) q.enter(row, result.now_us);
  });
  for (const row_change& r : result.rows) {
    if (r.before.data() != nullptr) q.enter(r.before, result.now_us);
  }
}

void live_queries::tell(std::span<const change> changes, statement_result result, std::vector<event>& out) {
  collect(changes);
  result.rows = rows_;
  for (const auto& q : queries_) {
    if (q->validity == live_query::state::unknown) {
      q->clear();
      enter_rows_before(*q, result);
      q->settle();
    }
    if (q->validity == live_query::state::bound_anew) {
      q->clear();
      enter_all(*q, result.now_us);
    } else {
      for (const row_change& r : rows_) q->change(r, result.now_us);
    }
    q->validity = live_query::state::good;
    q->tell(result, out);
  }
}

}  // namespace pubsubsql::storage::matching
