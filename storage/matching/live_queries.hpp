#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "storage/matching/live_query.hpp"
#include "storage/matching/match_budget.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::storage::matching {

/// The live queries of a table, each once however many subscribe to it, in the order in which they came.
class live_queries {
 public:
  explicit live_queries(const table& of) : table_(&of) {}
  live_queries(const live_queries&) = delete;
  live_queries& operator=(const live_queries&) = delete;

  /// The one that asks for the same, or this one; it knows the rows that there are, unless nothing is left of the
  /// budget.
  [[nodiscard]] live_query& enter(std::unique_ptr<live_query> made, std::int64_t now_us, sql::work_budget& budget);
  /// Brings it up to the rows that there are, when it has not been since rows were taken back. The same.
  void refresh(live_query& q, std::int64_t now_us, sql::work_budget& budget);
  /// Nobody subscribes to it any more.
  void drop(live_query& q);

  [[nodiscard]] bool empty() const { return queries_.empty(); }

  void column_added(std::string_view name, column_index column);
  // A column is about to go, and has gone.
  void column_leaves(column_index column);
  void column_left();
  /// Columns, or types of columns, are others than before.
  void columns_changed();
  /// The table is another one from now on; columns_changed() has to follow.
  void move_to(const table& t) { table_ = &t; }
  /// Rows were changed back, and nobody was told of them.
  void rows_taken_back();

  /// Appends the events of a statement that has changed the table; `result` without its rows, which are those of
  /// `changes`. The events are valid until the next statement. Nothing is told by those that are over.
  void tell(std::span<const change> changes, statement_result result, match_budget& budget, std::vector<event>& out);

 private:
  void bind(live_query& q);
  void collect(std::span<const change> changes);
  [[nodiscard]] std::vector<live_query*> queries_that_are(live_query::state validity) const;
  void enter_all(std::span<live_query* const> queries, std::int64_t now_us, match_budget& budget);
  void enter_all_before(std::span<live_query* const> queries, const statement_result& result, match_budget& budget);
  std::size_t change_rows(const statement_result& result, match_budget& budget);

  const table* table_;
  std::vector<std::unique_ptr<live_query>> queries_;
  std::vector<live_query*> unbound_;  // whose column is going
  std::vector<row_change> rows_;      // scratch: of the statement
};

}  // namespace pubsubsql::storage::matching
