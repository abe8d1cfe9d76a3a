#pragma once

#include <optional>
#include <vector>

#include "parser/ast.hpp"
#include "storage/access_path.hpp"
#include "storage/row_order.hpp"
#include "storage/sql/bound_expression.hpp"

namespace pubsubsql::storage {

/// Which rows of a table a statement is about, and in which order. The parts live as long as the search is bound.
struct row_choice {
  const std::optional<parser::condition>& where;
  const parser::order_list* order_by = nullptr;
  std::optional<parser::row_limit> limit = {};
  const parser::projection* list = nullptr;  ///< aliases and places that order_by may name
  bool for_change = false;                   ///< the rows will be changed: MySQL's strict mode rules
};

/// Rows by a condition and in an order: bound once, then planned and run.
class row_search {
 public:
  /// `names` is the scope of the table. Returns what is wrong, if anything.
  [[nodiscard]] std::optional<error> bind(const table& t, const row_choice& choice, sql::name_scope names);

  /// Whether a row matches. REQUIRES: bound.
  [[nodiscard]] bool matches(row_view row, sql::evaluation& e) const {
    return !filtered_ || predicate_.is_true({.row = row}, e);
  }

  /// How the rows will be found. REQUIRES: bound; valid as long as the search, while the table is not changed.
  [[nodiscard]] access_path path() const;

  /// Calls visit(row_number, row_view) for each row that matches until it returns false, in table order or in that of
  /// the path. `memory` is what `e` computes in; it is released for each row.
  template <typename Visit>
  void visit(sql::evaluation& e, std::pmr::monotonic_buffer_resource& memory, Visit&& visit) const {
    visit_by(path(), e, memory, visit);
  }

  /// Appends the rows in the order asked for, as many as asked for.
  void find(sql::evaluation& e, std::pmr::monotonic_buffer_resource& memory, std::vector<row_number>& out);

  /// Whether the path gives the rows in the order asked for. Where an expression has a part in it, none can.
  [[nodiscard]] bool comes_ordered(const access_path& by) const { return !order_columns_.empty() && by.is_ordered(); }
  [[nodiscard]] bool is_filtered() const { return filtered_; }
  /// Whether a row that does not match may match later without having been changed.
  [[nodiscard]] bool depends_on_time() const { return filtered_ && predicate_.depends_on_time(); }
  [[nodiscard]] const row_order& order() const { return order_; }

 private:
  template <typename Visit>
  void visit_by(const access_path& by, sql::evaluation& e, std::pmr::monotonic_buffer_resource& memory,
                Visit&& visit) const {
    by.visit([&](row_number row) {
      memory.release();
      e.spend(1);
      const row_view r = table_->get(row);
      if (filtered_ && !predicate_.is_true({.row = r}, e)) return !e.failure().has_value();
      return visit(row, r) && !e.failure();
    });
  }

  const table* table_ = nullptr;
  bool filtered_ = false;
  sql::bound_expression predicate_;
  row_order order_;
  std::vector<conjunction> any_of_;
  std::vector<order_column> order_columns_;
};

}  // namespace pubsubsql::storage
