#include <utility>

#include "storage/sql/bound_node.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage::sql {

const value& evaluator::column_value(const node& n) {
  const value& v = stored_value(n);
  if (v && v->size() > evaluation::bytes_per_step) e_.spend(v->size() / evaluation::bytes_per_step);
  return v;
}

const value& evaluator::stored_value(const node& n) {
  static const value null;
  if (n.column < in_.values.size()) return in_.values[n.column];
  if (in_.row.data() == nullptr) return null;
  if (!cursor_) cursor_.emplace(in_.row);
  while (read_.size() <= n.slot) {
    const column_index column = columns_[read_.size()];
    read_.push_back(column == id_column ? value{} : cursor_->at(column));
  }
  return read_[n.slot];
}

datum evaluator::aggregate_of(const node& n) {
  return n.place < in_.aggregates.size() ? in_.aggregates[n.place] : datum{};
}

datum evaluator::call(const node& n) {
  absl::InlinedVector<datum, 4> arguments;
  for (const node_pointer& operand : n.operands) {
    const datum d = value_of(*operand);
    arguments.push_back(n.unifies ? conform(e_, n.type, d) : d);
  }
  return e_.failure() ? datum{} : n.called->call(e_, arguments);
}

datum evaluator::value_of(const node& n) {
  const auto both = [&](auto operation) {
    const datum a = value_of(*n.operands[0]);
    return operation(e_, a, value_of(*n.operands[1]));
  };
  switch (n.kind) {
    case node_kind::constant:
      return n.constant;
    case node_kind::column:
      return datum_of(e_, n.type, column_value(n));
    case node_kind::id:
      if (in_.row.data() == nullptr || !in_.row.has_id()) return {};
      return datum::integer(static_cast<std::int64_t>(in_.row.id()));
    case node_kind::unknown_column:
      return {};
    case node_kind::offered:
      return n.column < in_.offered.size() ? datum_of(e_, n.type, in_.offered[n.column]) : datum{};
    case node_kind::aggregate:
      return aggregate_of(n);
    case node_kind::negate:
      return negate(e_, value_of(*n.operands[0]));
    case node_kind::interval:
      return make_interval(e_, value_of(*n.operands[0]), n.unit);
    case node_kind::add:
      return both(static_cast<datum (*)(evaluation&, const datum&, const datum&)>(add));
    case node_kind::subtract:
      return both(subtract);
    case node_kind::multiply:
      return both(static_cast<datum (*)(evaluation&, const datum&, const datum&)>(multiply));
    case node_kind::divide:
      return both(static_cast<datum (*)(evaluation&, const datum&, const datum&)>(divide));
    case node_kind::divide_whole:
      return both(divide_whole);
    case node_kind::remainder:
      return both(static_cast<datum (*)(evaluation&, const datum&, const datum&)>(remainder));
    case node_kind::concat:
      return both(concat);
    case node_kind::choose:
      return conform(e_, n.type, value_of(*n.operands[truth_of(*n.operands[0]) == ternary::yes ? 1 : 2]));
    case node_kind::coalesce:
      for (const node_pointer& operand : n.operands) {
        const datum d = value_of(*operand);
        if (!d.is_null()) return conform(e_, n.type, d);
      }
      return {};
    case node_kind::call:
      return call(n);
    case node_kind::logical_not:
    case node_kind::is_null:
    case node_kind::is_true:
    case node_kind::is_false:
    case node_kind::compare:
    case node_kind::logical_xor:
    case node_kind::logical_and:
    case node_kind::logical_or:
    case node_kind::like:
    case node_kind::between:
    case node_kind::in_list:
    case node_kind::in_texts:
      break;
  }
  return to_datum(truth_of(n));
}

ternary evaluator::truth_of(const node& n) {
  switch (n.kind) {
    case node_kind::logical_not:
      return logical_not(truth_of(*n.operands[0]));
    case node_kind::is_null:
      return to_ternary(value_of(*n.operands[0]).is_null() != n.negated);
    case node_kind::is_true:
      return to_ternary((truth_of(*n.operands[0]) == ternary::yes) != n.negated);
    case node_kind::is_false:
      return to_ternary((truth_of(*n.operands[0]) == ternary::no) != n.negated);
    case node_kind::compare: {
      if (n.by_bytes) return compare_bytes(n);
      const met_value a = operand_of(n, 0);
      return compare_values(n.op, a, operand_of(n, 1));
    }
    case node_kind::logical_xor: {
      const ternary a = truth_of(*n.operands[0]);
      return logical_xor(a, truth_of(*n.operands[1]));
    }
    case node_kind::logical_and:
      return all_of(n);
    case node_kind::logical_or:
      return any_of(n);
    case node_kind::like:
      return like(n);
    case node_kind::between:
      return between(n);
    case node_kind::in_list:
      return in_list(n);
    case node_kind::in_texts:
      return in_texts(n);
    case node_kind::constant:
    case node_kind::column:
    case node_kind::id:
    case node_kind::unknown_column:
    case node_kind::offered:
    case node_kind::aggregate:
    case node_kind::negate:
    case node_kind::interval:
    case node_kind::add:
    case node_kind::subtract:
    case node_kind::multiply:
    case node_kind::divide:
    case node_kind::divide_whole:
    case node_kind::remainder:
    case node_kind::concat:
    case node_kind::choose:
    case node_kind::coalesce:
    case node_kind::call:
      break;
  }
  return sql::truth_of(value_of(n));
}

ternary evaluator::compare_values(comparison op, const met_value& a, const met_value& b) {
  const auto is_converted_before = [](const met_value& text, const met_value& other) {
    return text.of->is_constant() && text.value.is_text() && other.value.is_number();
  };
  if (e_.is_strict() && !is_converted_before(a, b) && !is_converted_before(b, a)) {
    refuse_truncation(e_, a.value, b.value);
  }
  return compare(e_, op, a.value, b.value);
}

ternary evaluator::compare_bytes(const node& n) {
  const value& v = column_value(*n.operands[0]);
  if (!v) return ternary::unknown;
  if (n.op == comparison::equal) return to_ternary(*v == n.text);
  return to_ternary(holds(n.op, v->compare(n.text) <=> 0));
}

ternary evaluator::all_of(const node& n) {
  ternary out = ternary::yes;
  for (const node_pointer& operand : n.operands) {
    out = logical_and(out, truth_of(*operand));
    if (out == ternary::no) break;
  }
  return out;
}

ternary evaluator::any_of(const node& n) {
  ternary out = ternary::no;
  for (const node_pointer& operand : n.operands) {
    out = logical_or(out, truth_of(*operand));
    if (out == ternary::yes) break;
  }
  return out;
}

ternary evaluator::like(const node& n) {
  const datum text = value_of(*n.operands[0]);
  const datum pattern = value_of(*n.operands[1]);
  if (text.is_null() || pattern.is_null()) return ternary::unknown;
  const std::uint64_t before = e_.steps_left();
  std::uint64_t left = before;
  const std::optional<bool> fits = is_like(left, text_of(e_, text), text_of(e_, pattern), n.text);
  e_.spend(fits ? before - left : UINT64_MAX);
  return fits ? to_ternary(*fits != n.negated) : ternary::unknown;
}

evaluator::met_value evaluator::operand_of(const node& n, std::size_t i) {
  const datum d = value_of(*n.operands[i]);
  return {n.operands[i].get(), n.unifies && d.is_text() ? number_of(e_, d) : d};
}

ternary evaluator::between(const node& n) {
  const met_value a = operand_of(n, 0);
  const ternary low = compare_values(comparison::greater_equal, a, operand_of(n, 1));
  const ternary high = low == ternary::no ? low : compare_values(comparison::less_equal, a, operand_of(n, 2));
  const ternary inside = logical_and(low, high);
  return n.negated ? logical_not(inside) : inside;
}

ternary evaluator::in_list(const node& n) {
  const met_value a = operand_of(n, 0);
  ternary out = ternary::no;
  std::size_t i = 1;
  for (; i < n.operands.size() && out != ternary::yes; ++i) {
    out = logical_or(out, compare_values(comparison::equal, a, operand_of(n, i)));
  }
  e_.spend(i);
  return n.negated ? logical_not(out) : out;
}

ternary evaluator::in_texts(const node& n) {
  const datum d = value_of(*n.operands[0]);
  if (d.is_null()) return ternary::unknown;
  const ternary out = n.texts.contains(text_of(e_, d)) ? ternary::yes : n.has_null ? ternary::unknown : ternary::no;
  return n.negated ? logical_not(out) : out;
}

}  // namespace pubsubsql::storage::sql
