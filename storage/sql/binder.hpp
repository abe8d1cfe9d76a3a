#pragma once

#include <memory_resource>
#include <optional>
#include <set>
#include <vector>

#include "storage/sql/bound_node.hpp"

namespace pubsubsql::storage::sql {

/// Makes bound nodes of a parsed expression. Used once.
class binder {
 public:
  explicit binder(name_scope& names) : names_(names) {}

  /// nullptr when it fails: then failure() is set.
  [[nodiscard]] node_pointer bind(const parser::expression& e);
  [[nodiscard]] node_pointer bind(const parser::condition& c);
  [[nodiscard]] std::optional<error>& failure() { return failure_; }
  /// Gives the columns of the tree their slots and returns them, rising.
  [[nodiscard]] static std::vector<column_index> number_columns(node& root);

 private:
  node_pointer fail(error e);
  node_pointer fail(sql_error e);
  /// Binds the operands, gives the node its type, and computes it if it is constant.
  node_pointer operation(node_kind kind, const parser::expression& e);
  node_pointer finish(node_pointer n);
  [[nodiscard]] work_budget& budget() { return names_.budget != nullptr ? *names_.budget : own_budget_; }
  [[nodiscard]] work_budget may_fold();
  bool bind_operands(const parser::expression& e, node& n);

  node_pointer name(std::string_view name);
  node_pointer column(std::string_view name);
  node_pointer alias(std::string_view name);
  node_pointer aggregate_call_of(const parser::expression& e);
  node_pointer call(const parser::expression& e);
  node_pointer offered(const parser::expression& e);
  node_pointer interval(const parser::expression& e);
  node_pointer comparison_of(const parser::expression& e, comparison op);
  /// Lets a column be compared with a constant without being read as its type, where that makes no difference.
  void compare_by_bytes(node& n);
  node_pointer range(const parser::expression& e);
  node_pointer list(const parser::expression& e);
  node_pointer like(const parser::expression& e);
  node_pointer subquery(const parser::expression& e);
  node_pointer in_subquery(const parser::expression& e);
  const inner_result* inner_of(const parser::expression& e);
  /// Makes one look-up of a list of texts where the value compares with texts by its bytes.
  node_pointer finish_list(node_pointer n);
  /// A constant beside another operand: converted once to what it will be compared as.
  void convert(const node& beside, node_pointer& constant);

  name_scope& names_;
  std::pmr::monotonic_buffer_resource memory_;
  work_budget own_budget_{.steps_max = 10'000'000};  // where the scope has none
  std::optional<error> failure_;
};

}  // namespace pubsubsql::storage::sql
