#include "parser/expression.hpp"

#include <algorithm>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

namespace {

template <typename Node>
bool same(const Node* a, const Node* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

bool same_list(std::span<expression* const> a, std::span<expression* const> b) {
  return std::ranges::equal(a, b, same<expression>);
}

}  // namespace

bool equal_or_both_missing(const expression* a, const expression* b) {
  return same(a, b);
}

bool expression::operator==(const expression& other) const {
  return op == other.op && negated == other.negated && distinct == other.distinct && text == other.text &&
         same_list(operands, other.operands) && same(subquery, other.subquery);
}

bool expression_list::operator==(const expression_list& other) const {
  return same_list(*this, other);
}

bool select_statement::operator==(const select_statement& other) const {
  return columns == other.columns && table == other.table && where == other.where && distinct == other.distinct &&
         group_by == other.group_by && same(having, other.having) && order_by == other.order_by && limit == other.limit;
}

bool insert_statement::operator==(const insert_statement& other) const {
  return rows == other.rows && on_duplicate == other.on_duplicate && updates == other.updates &&
         same(query, other.query);
}

}  // namespace pubsubsql::parser
