#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/ast.hpp"
#include "storage/column_atom.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/sql/aggregate.hpp"
#include "storage/sql/column_type.hpp"
#include "storage/sql/datum.hpp"

namespace pubsubsql::storage {
class table;
}

/// Expressions whose names have been resolved: they can be computed for a row.
namespace pubsubsql::storage::sql {

/// The result of a subquery, or of the query of `insert ... select`.
struct inner_result {
  std::vector<column_type> types;  ///< of its columns
  std::vector<std::vector<std::optional<std::string>>> rows;
};

/// The results of a statement's subqueries, by where these stand in the statement's tree.
using inner_results = std::vector<std::pair<const parser::select_statement*, inner_result>>;

/// An aggregate function that a grouped query computes for each group.
struct aggregate_call;

/// What the names in an expression may stand for. Lives as long as the expressions bound with it are being bound.
struct name_scope {
  /// Whose columns there are; nullptr: none. (select without from)
  const table* of = nullptr;
  /// A name that is no column is NULL instead of an error: subscriptions may be waiting for a column to come.
  bool unknown_is_null = false;
  /// Columns of the select list with their aliases, which names may stand for as well; looked at before the columns of
  /// the table when `aliases_first` (order by, having), else after (group by).
  const parser::projection* aliases = nullptr;
  bool aliases_first = false;
  /// Where aggregate calls are collected, equal ones once; nullptr: they are errors here (1111 Invalid use of group
  /// function). Inside an aggregate's argument they always are.
  std::vector<aggregate_call>* aggregates = nullptr;
  /// What the subqueries gave, each of which is here; nullptr: there are none.
  const inner_results* inner = nullptr;
  /// What binding may cost; nullptr: as much as a small statement may.
  work_budget* budget = nullptr;
  /// `values(c)` of `on duplicate key update` is allowed and means expression_input::offered.
  bool offers_values = false;
  /// Who current_user() is; nothing: NULL.
  std::optional<std::string_view> user = {};
};

/// What an expression is computed for.
struct expression_input {
  row_view row = {};                   ///< of the scope's table; no data: every column is NULL
  std::span<const value> values = {};  ///< by column, `id` left out: these instead of the row's, where the span reaches
  std::span<const value> offered = {};     ///< values(c), by column
  std::span<const datum> aggregates = {};  ///< results, in the order of name_scope::aggregates
};

/// An expression ready to be computed. Holds no pointer into the statement's text or tree: subscriptions keep it.
class bound_expression {
 public:
  struct node;

  bound_expression();
  ~bound_expression();
  bound_expression(bound_expression&&) noexcept;
  bound_expression& operator=(bound_expression&&) noexcept;

  /// Returns what is wrong, if anything: an unknown column (1054) or function (1305), a wrong number of arguments ...
  /// Constant parts are computed once, here.
  [[nodiscard]] static std::optional<error> bind(const parser::expression& e, name_scope& names, bound_expression& out);
  /// `column = value`, the short form of a condition; NULL equals nothing.
  [[nodiscard]] static std::optional<error> bind(const parser::condition& c, name_scope& names, bound_expression& out);

  [[nodiscard]] datum evaluate(const expression_input& in, evaluation& e) const;
  /// Whether it is true: not false, 0 or NULL.
  [[nodiscard]] bool is_true(const expression_input& in, evaluation& e) const;
  /// A text, always the same.
  [[nodiscard]] static bound_expression of_text(std::string_view text);
  /// A column of a table, whatever it is called.
  [[nodiscard]] static bound_expression of_column(const table& t, column_index column);
  /// The type of results, as a column would need it that takes them all.
  [[nodiscard]] const column_type& type() const;
  /// The columns it reads, rising.
  [[nodiscard]] std::span<const column_index> columns() const;
  /// The column that it is, if it is nothing else.
  [[nodiscard]] std::optional<column_index> as_column() const;
  /// Whether it reads the time.
  [[nodiscard]] bool depends_on_time() const;
  /// The same text for expressions that are the same, values and names spelled in one way.
  [[nodiscard]] std::string canonical_text() const;

  /// As a predicate: conjunctions of which at least one holds for every row that matches; without any: nothing is
  /// known, every row has to be asked. Branches of an `or` that an index can use each give one, at most 16.
  [[nodiscard]] std::vector<conjunction> conjunctions() const;

 private:
  explicit bound_expression(std::unique_ptr<node> root);

  std::unique_ptr<node> root_;
  std::vector<column_index> columns_;
  bool makes_nothing_ = false;  // computing it as a predicate takes no memory
  std::uint32_t steps_ = 0;     // that computing it once takes
};

struct aggregate_call {
  aggregate_kind kind{};
  bool distinct = false;
  bool counts_rows = false;  ///< count(*): there is no argument
  std::string text = {};     ///< how it is written, the same for calls that are the same
  bound_expression argument;
};

}  // namespace pubsubsql::storage::sql
