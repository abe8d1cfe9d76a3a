#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// Expressions as plain data: what was written, nothing resolved. Nodes live in the statement's arena and are never
/// destroyed one by one; every view points into the statement's text or into that arena.
namespace pubsubsql::parser {

struct select_statement;

/// What a node of an expression is. In the comment: its operands, and what else of it is set.
enum class operation : std::uint8_t {
  // Leaves
  text,         ///< a quoted text, or a bare value where one may stand; `text` is the value, quoting undone
  number,       ///< `text` as written: 12, 1.5, 1e3
  boolean,      ///< `text` is true or false, as written
  null,         ///< the word null
  column,       ///< `text` is the name
  all_columns,  ///< the `*` of a select list
  subquery,     ///< `subquery`: one column, at most one row

  // One operand
  negate,       ///< -x
  logical_not,  ///< not x, ! x
  is_null,      ///< x is [not] null: `negated`
  is_true,      ///< x is [not] true: `negated`
  is_false,     ///< x is [not] false: `negated`

  // Two operands
  add,
  subtract,
  multiply,
  divide,          ///< /
  integer_divide,  ///< div
  modulo,          ///< %, mod
  concatenate,     ///< ||
  equal,
  null_safe_equal,  ///< <=>
  not_equal,        ///< <>, !=
  less,
  less_equal,
  greater,
  greater_equal,
  logical_xor,

  // Two or more operands
  logical_and,
  logical_or,

  // Others
  like,         ///< value, pattern[, escape]: `negated`
  between,      ///< value, low, high: `negated`
  in_list,      ///< value, items...: `negated`
  in_subquery,  ///< value; `subquery` has one column: `negated`
  call,         ///< a function of that name: `text`; arguments
  aggregate,    ///< count, sum, min, max or avg: `text`; one argument, none for count(*): `distinct`
  interval,     ///< interval n unit: n; `text` is the unit, or empty when n is a text that names its units
};

/// One node with what is below it.
struct expression {
  operation op{};
  bool negated = false;   ///< not like, not between, not in, is not null ...
  bool distinct = false;  ///< count(distinct x)
  /// A text alone in a value's place, as in `c = 'x'`: another value, quoted or bare, may stand there. Not compared.
  bool alone = false;
  std::string_view text = {};
  std::span<expression* const> operands = {};
  const select_statement* subquery = nullptr;
  /// The expression as it is written, for titles of columns and for messages. No part of what it says, so not compared.
  std::string_view source = {};

  /// Compares all that is below, too.
  bool operator==(const expression& other) const;
};

/// Whether both are missing, or both are there and equal.
[[nodiscard]] bool equal_or_both_missing(const expression* a, const expression* b);

/// Expressions nest at most so deep, parentheses and subqueries included: whoever walks them may recurse.
inline constexpr std::size_t expression_depth_max = 200;
/// Subqueries that a statement may have: what looks through them all for each of them stays short.
inline constexpr std::size_t subqueries_max = 1'000;

}  // namespace pubsubsql::parser
