#include "storage/sql/bound_expression.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "storage/sql/binder.hpp"
#include "storage/sql/bound_node.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::sql {

namespace {

void append_quoted(std::string& out, std::string_view text, char quote) {
  out += quote;
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  out += quote;
}

void append_constant(std::string& out, const datum& d) {
  switch (d.kind()) {
    case datum_kind::null:
      out += "null";
      return;
    case datum_kind::text:
      append_quoted(out, d.text(), '\'');
      return;
    case datum_kind::floating:
      append_text(out, d);
      out += "e0";
      return;
    case datum_kind::date:
      out += "date ";
      break;
    case datum_kind::time:
      out += "time ";
      break;
    case datum_kind::datetime:
      out += "timestamp ";
      break;
    case datum_kind::interval:
      out += "interval ";
      break;
    case datum_kind::integer:
    case datum_kind::unsigned_integer:
    case datum_kind::decimal:
      append_text(out, d);
      return;
  }
  std::string text;
  append_text(text, d);
  append_quoted(out, text, '\'');
}

std::string_view symbol_of(comparison op) {
  constexpr std::array<std::string_view, 7> symbols = {"=", "<=>", "<>", "<", "<=", ">", ">="};
  return symbols[static_cast<std::size_t>(op)];
}

/// What stands between the operands, or before a single one.
std::string_view symbol_of(const node& n) {
  switch (n.kind) {
    case node_kind::negate:
      return "-";
    case node_kind::logical_not:
      return "not ";
    case node_kind::add:
      return "+";
    case node_kind::subtract:
      return "-";
    case node_kind::multiply:
      return "*";
    case node_kind::divide:
      return "/";
    case node_kind::divide_whole:
      return "div";
    case node_kind::remainder:
      return "%";
    case node_kind::concat:
      return "||";
    case node_kind::compare:
      return symbol_of(n.op);
    case node_kind::logical_xor:
      return "xor";
    case node_kind::logical_and:
      return "and";
    case node_kind::logical_or:
      return "or";
    case node_kind::like:
      return n.negated ? "not like" : "like";
    case node_kind::between:
      return n.negated ? "not between" : "between";
    case node_kind::in_list:
    case node_kind::in_texts:
      return n.negated ? "not in" : "in";
    case node_kind::is_null:
      return n.negated ? "is not null" : "is null";
    case node_kind::is_true:
      return n.negated ? "is not true" : "is true";
    case node_kind::is_false:
      return n.negated ? "is not false" : "is false";
    case node_kind::choose:
      return "if";
    case node_kind::coalesce:
      return "coalesce";
    case node_kind::call:
      return n.called->name;
    case node_kind::offered:
      return "values";
    case node_kind::interval:
    case node_kind::constant:
    case node_kind::column:
    case node_kind::id:
    case node_kind::unknown_column:
    case node_kind::aggregate:
      break;
  }
  return {};
}

void append_list(std::string& out, const node& n, std::size_t first) {
  out += '(';
  for (std::size_t i = first; i < n.operands.size(); ++i) {
    if (i > first) out += ", ";
    append_canonical(out, *n.operands[i]);
  }
  out += ')';
}

void append_texts(std::string& out, const node& n) {
  std::vector<std::string_view> sorted(n.texts.begin(), n.texts.end());
  std::sort(sorted.begin(), sorted.end());
  out += '(';
  for (const std::string_view text : sorted) {
    append_quoted(out, text, '\'');
    out += ", ";
  }
  out += n.has_null ? "null)" : ")";
}

bool depends_on_time_at(const node& n) {
  if (n.kind == node_kind::call && n.called->depends_on_time) return true;
  return std::any_of(n.operands.begin(), n.operands.end(), [](const auto& o) { return depends_on_time_at(*o); });
}

/// Whether computing it takes no memory beyond the node's and the row's.
bool makes_nothing(const node& n) {
  switch (n.kind) {
    case node_kind::constant:
    case node_kind::id:
    case node_kind::logical_not:
    case node_kind::is_null:
    case node_kind::is_true:
    case node_kind::is_false:
    case node_kind::compare:
    case node_kind::logical_xor:
    case node_kind::logical_and:
    case node_kind::logical_or:
    case node_kind::between:
    case node_kind::in_list:
      return std::all_of(n.operands.begin(), n.operands.end(), [](const auto& o) { return makes_nothing(*o); });
    case node_kind::in_texts:
      return true;
    case node_kind::column:
      return n.type.kind != type_kind::decimal;
    default:
      return false;
  }
}

/// The items of a list are counted when they are compared.
std::uint32_t steps_of(const node& n) {
  std::uint32_t steps = 1;
  for (const node_pointer& operand : n.operands) {
    if (n.kind != node_kind::in_list || !operand->is_constant()) steps += steps_of(*operand);
  }
  return steps;
}

}  // namespace

void append_canonical(std::string& out, const node& n) {
  switch (n.kind) {
    case node_kind::constant:
      append_constant(out, n.constant);
      return;
    case node_kind::column:
    case node_kind::id:
    case node_kind::unknown_column:
      append_quoted(out, n.text, '`');
      return;
    case node_kind::offered:
      out += "values(";
      append_quoted(out, n.text, '`');
      out += ')';
      return;
    case node_kind::aggregate:
      out += n.text;
      return;
    case node_kind::interval:
      out += "interval ";
      append_canonical(out, *n.operands[0]);
      out.append(" unit ").append(std::to_string(static_cast<int>(n.unit)));
      return;
    case node_kind::choose:
    case node_kind::coalesce:
    case node_kind::call:
      out += symbol_of(n);
      append_list(out, n, 0);
      return;
    case node_kind::in_list:
    case node_kind::in_texts:
      out += '(';
      append_canonical(out, *n.operands[0]);
      out.append(" ").append(symbol_of(n)).append(" ");
      n.kind == node_kind::in_list ? append_list(out, n, 1) : append_texts(out, n);
      out += ')';
      return;
    case node_kind::is_null:
    case node_kind::is_true:
    case node_kind::is_false:
      out += '(';
      append_canonical(out, *n.operands[0]);
      out.append(" ").append(symbol_of(n)).append(")");
      return;
    default:
      break;
  }
  out += '(';
  if (n.operands.size() == 1) out += symbol_of(n);
  for (std::size_t i = 0; i < n.operands.size(); ++i) {
    const bool last_of_range = n.kind == node_kind::between && i == 2;
    if (i > 0) out.append(" ").append(last_of_range ? "and" : symbol_of(n)).append(" ");
    append_canonical(out, *n.operands[i]);
  }
  if (n.kind == node_kind::like && n.text != "\\") {
    out += " escape ";
    append_quoted(out, n.text, '\'');
  }
  out += ')';
}

bound_expression::bound_expression() = default;
bound_expression::~bound_expression() = default;
bound_expression::bound_expression(bound_expression&&) noexcept = default;
bound_expression& bound_expression::operator=(bound_expression&&) noexcept = default;

bound_expression::bound_expression(std::unique_ptr<node> root)
    : root_(std::move(root)),
      columns_(binder::number_columns(*root_)),
      makes_nothing_(makes_nothing(*root_)),
      steps_(steps_of(*root_)) {}

std::optional<error> bound_expression::bind(const parser::expression& e, name_scope& names, bound_expression& out) {
  binder b(names);
  std::unique_ptr<node> root = b.bind(e);
  if (root == nullptr) return std::move(b.failure());
  out = bound_expression(std::move(root));
  return std::nullopt;
}

std::optional<error> bound_expression::bind(const parser::condition& c, name_scope& names, bound_expression& out) {
  binder b(names);
  std::unique_ptr<node> root = b.bind(c);
  if (root == nullptr) return std::move(b.failure());
  out = bound_expression(std::move(root));
  return std::nullopt;
}

bound_expression bound_expression::of_text(std::string_view text) {
  return bound_expression(make_constant(datum::text(text), type_of_kind(type_kind::longtext)));
}

bound_expression bound_expression::of_column(const table& t, column_index column) {
  auto n = std::make_unique<node>();
  n->kind = column == id_column ? node_kind::id : node_kind::column;
  n->column = column;
  n->text = t.column_name(column);
  if (column == id_column) {
    n->type = type_of_kind(type_kind::bigint);
  } else if (const column_type* type = t.type_of(column)) {
    n->type = *type;
  }
  return bound_expression(std::move(n));
}

datum bound_expression::evaluate(const expression_input& in, evaluation& e) const {
  e.begin();
  if (!e.spend(steps_)) return {};
  return evaluator(in, e, columns_).value_of(*root_);
}

bool bound_expression::is_true(const expression_input& in, evaluation& e) const {
  if (!e.spend(steps_)) return false;
  if (makes_nothing_) return evaluator(in, e, columns_).truth_of(*root_) == ternary::yes;
  std::array<std::byte, 512> first_memory;
  std::pmr::monotonic_buffer_resource memory(first_memory.data(), first_memory.size());
  evaluation own(memory, e.now_us(), e.budget());
  const bool matches = evaluator(in, own, columns_).truth_of(*root_) == ternary::yes;
  if (!own.failure()) return matches;
  e.fail(*own.failure());
  return false;
}

const column_type& bound_expression::type() const {
  return root_->type;
}

std::span<const column_index> bound_expression::columns() const {
  return columns_;
}

std::optional<column_index> bound_expression::as_column() const {
  return root_->is_column() ? std::optional(root_->column) : std::nullopt;
}

bool bound_expression::depends_on_time() const {
  return depends_on_time_at(*root_);
}

std::string bound_expression::canonical_text() const {
  std::string out;
  append_canonical(out, *root_);
  return out;
}

std::vector<conjunction> bound_expression::conjunctions() const {
  return conjunctions_of(*root_);
}

}  // namespace pubsubsql::storage::sql
