#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/bound_expression.hpp"
#include "storage/sql/comparison.hpp"
#include "storage/sql/functions.hpp"
#include "storage/text_hash.hpp"

/// What bound expressions are made of; for the files that bind, compute and analyse them only.
namespace pubsubsql::storage::sql {

/// In the comment: its operands, and what else of the node is set.
enum class node_kind : std::uint8_t {
  constant,        ///< `constant`
  column,          ///< `column`, `slot`, `text`: its name
  id,              ///< the engine's own id
  unknown_column,  ///< NULL; `text`: its name
  offered,         ///< `column`, `text`: its name
  aggregate,       ///< `place` among the results; `text`: how it is written

  // One operand
  negate,
  logical_not,
  is_null,   ///< `negated`
  is_true,   ///< `negated`
  is_false,  ///< `negated`
  interval,  ///< `unit`

  // Two
  add,
  subtract,
  multiply,
  divide,
  divide_whole,
  remainder,
  concat,
  compare,  ///< `op`
  logical_xor,

  // Two or more
  logical_and,
  logical_or,
  like,      ///< value, pattern; `text`: the escape; `negated`
  between,   ///< value, low, high; `negated`
  in_list,   ///< value, items...; `negated`
  in_texts,  ///< value; `texts`, `has_null`; `negated`

  // Any number
  choose,    ///< if(condition, then, else)
  coalesce,  ///< the first that is not NULL; ifnull, too
  call       ///< `called`
};

/// One node with what is below it. Owns all that it refers to, so that it outlives the statement.
struct bound_expression::node {
  node_kind kind{};
  bool negated = false;
  bool has_null = false;
  /// Of a call: the arguments are made values of `type` first. Of `between`: texts are made numbers.
  bool unifies = false;
  bool by_bytes = false;  ///< of a comparison: the column's stored bytes with `text` say the same
  comparison op{};
  interval_unit unit{};
  column_index column = 0;
  std::uint32_t slot = 0;  ///< of a column: its place in bound_expression::columns()
  std::size_t place = 0;
  datum constant;  ///< refers to `text` or `exact` where it is a text or long decimal
  column_type type = {};
  const function* called = nullptr;
  std::string text = {};
  decimal exact = {};
  absl::flat_hash_set<std::string, text_hash, std::equal_to<>> texts = {};
  std::vector<std::unique_ptr<node>> operands = {};

  [[nodiscard]] bool is_constant() const { return kind == node_kind::constant; }
  [[nodiscard]] bool is_column() const { return kind == node_kind::column || kind == node_kind::id; }
};

using node = bound_expression::node;
using node_pointer = std::unique_ptr<node>;

/// A constant that owns what it refers to.
[[nodiscard]] node_pointer make_constant(const datum& d, const column_type& type);
/// The type of a constant by itself.
[[nodiscard]] column_type type_of_constant(const datum& d);
[[nodiscard]] column_type type_of_kind(type_kind kind);

/// The type of an operation's results, its operands' being known.
[[nodiscard]] column_type result_type(const node& n);
[[nodiscard]] column_type type_of_aggregate(aggregate_kind kind, const column_type& argument);

/// What becomes of a value in the company of others whose common type this is: `if(c, 2, 1.50)` gives 2.00. NULL where
/// a date is asked for and it is none; unchanged where the type asks for nothing.
[[nodiscard]] datum conform(evaluation& e, const column_type& type, const datum& d);

/// Computes one expression for one input.
class evaluator {
 public:
  evaluator(const expression_input& in, evaluation& e, std::span<const column_index> columns)
      : in_(in), e_(e), columns_(columns) {}

  [[nodiscard]] datum value_of(const node& n);
  [[nodiscard]] ternary truth_of(const node& n);

 private:
  [[nodiscard]] const value& column_value(const node& n);
  [[nodiscard]] const value& stored_value(const node& n);
  [[nodiscard]] datum aggregate_of(const node& n);
  [[nodiscard]] datum call(const node& n);
  struct met_value {
    const node* of;
    datum value;
  };
  [[nodiscard]] met_value operand_of(const node& n, std::size_t i);
  [[nodiscard]] ternary compare_values(comparison op, const met_value& a, const met_value& b);
  [[nodiscard]] ternary compare_bytes(const node& n);
  [[nodiscard]] ternary like(const node& n);
  [[nodiscard]] ternary between(const node& n);
  [[nodiscard]] ternary in_list(const node& n);
  [[nodiscard]] ternary in_texts(const node& n);
  [[nodiscard]] ternary all_of(const node& n);
  [[nodiscard]] ternary any_of(const node& n);

  const expression_input& in_;
  evaluation& e_;
  const std::span<const column_index> columns_;
  std::optional<row_view::cursor> cursor_;
  absl::InlinedVector<value, 4> read_;  // the first columns of columns_, read as far as they were needed
};

/// The text that canonical_text() gives.
void append_canonical(std::string& out, const node& n);

/// Analyses a predicate for bound_expression::conjunctions().
[[nodiscard]] std::vector<conjunction> conjunctions_of(const node& root);

}  // namespace pubsubsql::storage::sql
