#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include "parser/basic_parser.hpp"

namespace pubsubsql::parser {

/// Expressions. Where an operand begins, a word is read in one of two ways: the name of a column; or, where a value may
/// stand (right of a comparison, in a list behind `in`, right of `set c =`, in a row of values), text, unless an
/// operator of arithmetic comes next.
class expression_parser : public basic_parser {
 public:
  using basic_parser::basic_parser;

 protected:
  ~expression_parser() = default;

  /// Any expression; its first word is a column.
  bool expression_of(expression*& out);
  /// A value, or what gives one: for `set c =` and rows of values.
  bool value(literal& out);
  /// The same, but only arithmetic: for `default`.
  bool default_value(literal& out);

  /// The select of a subquery, `select` taken, up to what cannot belong to it.
  virtual bool query(select_statement& out) = 0;
  /// Makes a select whose lists have the arena's memory.
  [[nodiscard]] select_statement no_query();
  [[nodiscard]] select_statement* new_query();
  /// Whether a select begins here rather than a name or a value `select`.
  [[nodiscard]] bool query_follows() const;

  [[nodiscard]] expression* new_expression(const expression& e);

 private:
  /// An expression with the number of levels it has.
  struct tree {
    expression* node = nullptr;
    std::size_t height = 0;
  };
  class level;

  // From the operators that bind least to those that bind most.
  bool any(tree& out);  // or
  bool exclusive(tree& out);
  bool conjunction(tree& out);
  bool negation(tree& out);
  bool comparison(tree& out);
  bool arithmetic(tree& out, int binding_min = 0);
  bool unary(tree& out);
  bool primary(tree& out);
  bool bound(tree& out);

  bool operand(tree& out);
  bool compare(tree& left, std::size_t start, bool& found);
  bool test_is(tree& left, std::size_t start);
  bool test_range(tree& left, std::size_t start, bool negated);
  bool test_pattern(tree& left, std::size_t start, bool negated);
  bool test_list(tree& left, std::size_t start, bool negated);
  bool parentheses(tree& out);
  bool subquery(tree& out, std::size_t start);
  bool interval(tree& out, std::size_t start);
  bool word(tree& out);
  bool call(tree& out, std::size_t start, std::string_view name);
  bool aggregate(tree& out, std::size_t start, std::string_view name);
  bool arguments(std::size_t& height);
  bool nary(tree& out, operation op, std::string_view keyword, bool (expression_parser::*part)(tree&));

  bool leaf(tree& out, std::size_t start, operation op, std::string_view text);
  /// Makes a node of `e`, whose operands come from `operands` and whose highest operand has that height.
  bool make(tree& out, std::size_t start, expression e, std::initializer_list<expression*> operands,
            std::size_t height);
  bool make(tree& out, std::size_t start, expression e, std::span<expression* const> operands, std::size_t height);
  bool too_deep();
  /// The operands collected since there were `before` of them, moved to the arena.
  std::span<expression* const> collected(std::size_t before);

  std::pmr::vector<expression*> collected_{arena_.resource()};  // operands of the nodes being read, outermost first
  std::size_t depth_ = 0;
  std::size_t subqueries_ = 0;  // read so far
  std::size_t height_max_ = 0;  // of the expressions of the select being read
};

}  // namespace pubsubsql::parser
