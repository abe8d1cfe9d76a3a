#include "storage/sql/binder.hpp"

#include <algorithm>
#include <utility>

#include "storage/sql/interval_text.hpp"
#include "storage/sql/number_text.hpp"
#include "storage/sql/stored_value.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::sql {

namespace {

using parser::operation;

error to_error(sql_error e) {
  return {error_code::refused_by_rules, std::move(e.message), e.code, e.sqlstate};
}

error unknown_name(const table* of, std::string_view name) {
  std::string message = "Unknown column '" + shown(name) + "'";
  if (of != nullptr) {
    message += " in '" + shown(of->name()) + "'; describe " + shown(of->name()) + " lists its columns";
  } else {
    message += "; without from there are none";
  }
  return {error_code::unknown_column, std::move(message), 1054, "42S22"};
}

bool equals(std::string_view a, std::string_view lower) {
  const auto same = [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y; };
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), same);
}

node_pointer make(node_kind kind) {
  auto out = std::make_unique<node>();
  out->kind = kind;
  return out;
}

std::optional<comparison> comparison_of_operation(operation op) {
  switch (op) {
    case operation::equal:
      return comparison::equal;
    case operation::null_safe_equal:
      return comparison::null_safe_equal;
    case operation::not_equal:
      return comparison::not_equal;
    case operation::less:
      return comparison::less;
    case operation::less_equal:
      return comparison::less_equal;
    case operation::greater:
      return comparison::greater;
    case operation::greater_equal:
      return comparison::greater_equal;
    default:
      return std::nullopt;
  }
}

/// Operations whose operands are bound one by one and that have nothing else.
std::optional<node_kind> plain_kind(operation op) {
  switch (op) {
    case operation::negate:
      return node_kind::negate;
    case operation::logical_not:
      return node_kind::logical_not;
    case operation::is_null:
      return node_kind::is_null;
    case operation::is_true:
      return node_kind::is_true;
    case operation::is_false:
      return node_kind::is_false;
    case operation::add:
      return node_kind::add;
    case operation::subtract:
      return node_kind::subtract;
    case operation::multiply:
      return node_kind::multiply;
    case operation::divide:
      return node_kind::divide;
    case operation::integer_divide:
      return node_kind::divide_whole;
    case operation::modulo:
      return node_kind::remainder;
    case operation::concatenate:
      return node_kind::concat;
    case operation::logical_xor:
      return node_kind::logical_xor;
    case operation::logical_and:
      return node_kind::logical_and;
    case operation::logical_or:
      return node_kind::logical_or;
    default:
      return std::nullopt;
  }
}

bool reads_outside(const node& n) {
  if (n.kind == node_kind::call && n.called->depends_on_time) return true;
  if (n.is_column() || n.kind == node_kind::unknown_column || n.kind == node_kind::offered ||
      n.kind == node_kind::aggregate) {
    return true;
  }
  return std::ranges::any_of(n.operands, [](const node_pointer& o) { return !o->is_constant(); });
}

void collect_columns(const node& n, std::vector<column_index>& out) {
  if (n.kind == node_kind::column) out.push_back(n.column);
  if (n.kind == node_kind::id) out.push_back(id_column);
  for (const node_pointer& o : n.operands) collect_columns(*o, out);
}

void set_slots(node& n, const std::vector<column_index>& columns) {
  if (n.kind == node_kind::column) {
    n.slot = static_cast<std::uint32_t>(std::ranges::lower_bound(columns, n.column) - columns.begin());
  }
  for (const node_pointer& o : n.operands) set_slots(*o, columns);
}

}  // namespace

node_pointer binder::fail(error e) {
  if (!failure_) failure_ = std::move(e);
  return nullptr;
}

node_pointer binder::fail(sql_error e) {
  return fail(to_error(std::move(e)));
}

std::vector<column_index> binder::number_columns(node& root) {
  std::vector<column_index> columns;
  collect_columns(root, columns);
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  set_slots(root, columns);
  return columns;
}

/// What computing a constant may cost: one that takes longer is left to the rows.
work_budget binder::may_fold() {
  constexpr std::uint64_t steps_max = 1'000'000;
  return {.steps_max = steps_max, .steps_left = std::min(steps_max, budget().steps_left)};
}

/// What fails while it is computed here fails again when it is computed for a row, and only then matters.
node_pointer binder::finish(node_pointer n) {
  n->type = result_type(*n);
  if (reads_outside(*n)) return n;
  work_budget folding = may_fold();
  const std::uint64_t before = folding.steps_left;
  evaluation e(memory_, 0, &folding);
  e.set_strict(true);
  const expression_input nothing;
  const datum d = evaluator(nothing, e, {}).value_of(*n);
  budget().steps_left -= std::min(budget().steps_left, before - folding.steps_left + 1);
  if (e.failure()) return n;
  return make_constant(d, d.is_null() ? column_type{} : n->type);
}

bool binder::bind_operands(const parser::expression& e, node& n) {
  for (const parser::expression* operand : e.operands) {
    node_pointer bound = bind(*operand);
    if (bound == nullptr) return false;
    n.operands.push_back(std::move(bound));
  }
  return true;
}

node_pointer binder::operation(node_kind kind, const parser::expression& e) {
  node_pointer n = make(kind);
  n->negated = e.negated;
  return bind_operands(e, *n) ? finish(std::move(n)) : nullptr;
}

node_pointer binder::bind(const parser::expression& e) {
  evaluation memory(memory_, 0);
  if (const auto op = comparison_of_operation(e.op)) return comparison_of(e, *op);
  if (const auto kind = plain_kind(e.op)) return operation(*kind, e);
  switch (e.op) {
    case operation::text:
      return make_constant(datum::text(e.text), type_of_kind(type_kind::longtext));
    case operation::number: {
      const datum number = number_literal(memory, e.text);
      return make_constant(number, type_of_constant(number));
    }
    case operation::boolean:
      return make_constant(datum::boolean(equals(e.text, "true")), type_of_kind(type_kind::integer));
    case operation::null:
      return make_constant({}, {});
    case operation::column:
      return name(e.text);
    case operation::subquery:
      return subquery(e);
    case operation::like:
      return like(e);
    case operation::between:
      return range(e);
    case operation::in_list:
      return list(e);
    case operation::in_subquery:
      return in_subquery(e);
    case operation::call:
      return call(e);
    case operation::aggregate:
      return aggregate_call_of(e);
    case operation::interval:
      return interval(e);
    default:
      return fail(sql_error{1064, "42000", "You have an error in your SQL syntax; `*` stands for no value here"});
  }
}

/// `c = 5`: as an expression would have it, but a NULL equals nothing.
node_pointer binder::bind(const parser::condition& c) {
  if (c.predicate != nullptr) return bind(*c.predicate);
  node_pointer n = make(node_kind::compare);
  n->op = comparison::equal;
  node_pointer left = name(c.column);
  if (left == nullptr) return nullptr;
  node_pointer right =
      make_constant(c.value.is_null ? datum{} : datum::text(c.value.text), type_of_kind(type_kind::longtext));
  convert(*left, right);
  n->operands.push_back(std::move(left));
  n->operands.push_back(std::move(right));
  compare_by_bytes(*n);
  return finish(std::move(n));
}

// Names

node_pointer binder::name(std::string_view name) {
  if (names_.aliases != nullptr && names_.aliases_first) {
    if (node_pointer found = alias(name)) return found;
    if (failure_) return nullptr;
  }
  if (node_pointer found = column(name)) return found;
  if (names_.aliases != nullptr && !names_.aliases_first) {
    if (node_pointer found = alias(name)) return found;
    if (failure_) return nullptr;
  }
  if (!names_.unknown_is_null) return fail(unknown_name(names_.of, name));
  node_pointer n = make(node_kind::unknown_column);
  n->text = name;
  return n;
}

node_pointer binder::column(std::string_view name) {
  if (names_.of == nullptr) return nullptr;
  const std::optional<column_index> found = names_.of->find_column(name);
  if (!found) return nullptr;
  node_pointer n = make(*found == id_column ? node_kind::id : node_kind::column);
  n->column = *found;
  n->text = name;
  if (n->kind == node_kind::id) {
    n->type = type_of_kind(type_kind::bigint);
  } else if (const column_type* type = names_.of->type_of(*found)) {
    n->type = *type;
  }
  return n;
}

node_pointer binder::alias(std::string_view name) {
  const parser::projection& list = *names_.aliases;
  const auto item =
      std::ranges::find_if(list.items, [&](const parser::select_item& i) { return i.alias == name && !name.empty(); });
  if (item == list.items.end()) return nullptr;
  const parser::projection* outer = std::exchange(names_.aliases, nullptr);
  node_pointer n = bind(*item->value);
  names_.aliases = outer;
  return n;
}

/// As many as MySQL lets a table have columns. A new one is compared with all before it.
constexpr std::size_t aggregates_max = 4096;

node_pointer binder::aggregate_call_of(const parser::expression& e) {
  const std::optional<aggregate_kind> kind = find_aggregate(e.text);
  if (!kind) return fail(unknown_function(e.text));
  if (names_.aggregates == nullptr) return fail(sql_error{1111, "HY000", "Invalid use of group function"});
  aggregate_call made;
  made.kind = *kind;
  made.distinct = e.distinct;
  made.counts_rows = e.operands.empty();
  std::vector<aggregate_call>* calls = names_.aggregates;
  if (!made.counts_rows) {
    names_.aggregates = nullptr;
    std::optional<error> failed = bound_expression::bind(*e.operands[0], names_, made.argument);
    names_.aggregates = calls;
    if (failed) return fail(std::move(*failed));
  }
  node_pointer n = make(node_kind::aggregate);
  n->text = std::string(*kind == aggregate_kind::count ? "count"
                        : *kind == aggregate_kind::sum ? "sum"
                        : *kind == aggregate_kind::min ? "min"
                        : *kind == aggregate_kind::max ? "max"
                                                       : "avg");
  n->text += made.distinct ? "(distinct " : "(";
  n->text += (made.counts_rows ? std::string("*") : made.argument.canonical_text()) + ")";
  made.text = n->text;
  n->type = made.counts_rows ? type_of_kind(type_kind::bigint) : type_of_aggregate(*kind, made.argument.type());
  const auto found = std::ranges::find(*calls, made.text, &aggregate_call::text);
  n->place = static_cast<std::size_t>(found - calls->begin());
  if (found != calls->end()) return n;
  if (calls->size() == aggregates_max) return fail(too_many_aggregates(aggregates_max));
  calls->push_back(std::move(made));
  return n;
}

// Functions

node_pointer binder::call(const parser::expression& e) {
  if (equals(e.text, "values")) return offered(e);
  const function* called = find_function(e.text);
  if (called == nullptr) return fail(unknown_function(e.text));
  if (!called->takes(e.operands.size())) return fail(wrong_argument_count(called->name));
  if (called->name == "timestampdiff" &&
      (e.operands[0]->op != operation::text || !find_interval_unit(e.operands[0]->text))) {
    return fail(sql_error{1064, "42000",
                          "You have an error in your SQL syntax; timestampdiff takes a unit of time first, such as "
                          "second, hour or day"});
  }
  if (called->name == "current_user" && names_.user) {
    return make_constant(datum::text(*names_.user), type_of_kind(type_kind::longtext));
  }
  node_pointer n = make(node_kind::call);
  n->called = called;
  n->unifies = called->name == "greatest" || called->name == "least";
  if (called->name == "if") n->kind = node_kind::choose;
  if (called->name == "coalesce" || called->name == "ifnull") n->kind = node_kind::coalesce;
  return bind_operands(e, *n) ? finish(std::move(n)) : nullptr;
}

node_pointer binder::offered(const parser::expression& e) {
  if (!names_.offers_values) return fail(unknown_function(e.text));
  if (e.operands.size() != 1 || e.operands[0]->op != operation::column) return fail(wrong_argument_count("values"));
  node_pointer n = column(e.operands[0]->text);
  if (n == nullptr) return fail(unknown_name(names_.of, e.operands[0]->text));
  n->kind = node_kind::offered;
  return n;
}

node_pointer binder::interval(const parser::expression& e) {
  if (e.text.empty()) {
    evaluation memory(memory_, 0);
    const std::optional<datum> found = parse_interval(memory, e.operands[0]->text);
    if (found) return make_constant(*found, {});
    return fail(sql_error{1525, "HY000",
                          "Incorrect INTERVAL value: '" + shown(e.operands[0]->text) +
                              "'; write it as in '2 days 3 hours' or '26:30:00'"});
  }
  const std::optional<interval_unit> unit = find_interval_unit(e.text);
  if (!unit) return fail(sql_error{1064, "42000", "Unknown unit of an interval: '" + shown(e.text) + "'"});
  node_pointer n = make(node_kind::interval);
  n->unit = *unit;
  return bind_operands(e, *n) ? finish(std::move(n)) : nullptr;
}

// Comparisons

void binder::convert(const node& beside, node_pointer& constant) {
  if (!constant->is_constant() || beside.is_constant() || constant->constant.is_null()) return;
  evaluation memory(memory_, 0);
  const datum& given = constant->constant;
  if (beside.is_column()) {
    std::optional<datum> converted = as_type(memory, beside.type, given);
    if (beside.type.is_untyped() && given.is_text()) return;
    // An id is never what only begins with its digits.
    if (!converted && beside.kind == node_kind::id && given.is_text()) converted = datum::untyped(given.text());
    if (converted) constant = make_constant(*converted, beside.type);
  } else if (beside.type.is_number() && given.is_text() && looks_like_number(given.text())) {
    const datum number = number_literal(memory, given.text());
    constant = make_constant(number, type_of_constant(number));
  }
}

node_pointer binder::comparison_of(const parser::expression& e, comparison op) {
  node_pointer n = make(node_kind::compare);
  n->op = op;
  if (!bind_operands(e, *n)) return nullptr;
  convert(*n->operands[0], n->operands[1]);
  convert(*n->operands[1], n->operands[0]);
  if (n->operands[0]->is_constant() && !n->operands[1]->is_constant()) {
    std::swap(n->operands[0], n->operands[1]);
    n->op = mirrored(op);
  }
  compare_by_bytes(*n);
  return finish(std::move(n));
}

void binder::compare_by_bytes(node& n) {
  const node& column = *n.operands[0];
  const node& beside = *n.operands[1];
  if (column.kind != node_kind::column || !beside.is_constant() || beside.constant.is_null()) return;
  if (n.op == comparison::null_safe_equal) return;
  const column_type& type = column.type;
  const bool is_equality = n.op == comparison::equal || n.op == comparison::not_equal;
  const bool is_day = type.is_temporal() && type.kind != type_kind::time;
  if (is_day && beside.constant.is_temporal()) {
    // Canonical texts of days are all of one length, and rise with them.
    evaluation memory(memory_, 0);
    const value stored = canonical_value(memory, type, beside.constant, {});
    if (memory.failure()) return;
    if (compare(memory, comparison::equal, datum_of(memory, type, stored), beside.constant) != ternary::yes) return;
    n.text = *stored;
  } else if (beside.constant.is_text() && !type.is_number() && !type.is_temporal() &&
             (is_equality || !type.is_untyped())) {
    n.text = beside.constant.text();
  } else {
    return;
  }
  n.by_bytes = true;
}

node_pointer binder::range(const parser::expression& e) {
  node_pointer n = make(node_kind::between);
  n->negated = e.negated;
  if (!bind_operands(e, *n)) return nullptr;
  convert(*n->operands[0], n->operands[1]);
  convert(*n->operands[0], n->operands[2]);
  const auto is_number = [](const node_pointer& o) { return o->type.is_number(); };
  const auto is_text = [](const node_pointer& o) { return o->type.is_text() || o->type.has_labels(); };
  const auto is_neither = [&](const node_pointer& o) { return !is_number(o) && !is_text(o); };
  n->unifies = std::ranges::any_of(n->operands, is_number) && std::ranges::any_of(n->operands, is_text) &&
               std::ranges::none_of(n->operands, is_neither);
  return finish(std::move(n));
}

node_pointer binder::list(const parser::expression& e) {
  node_pointer n = make(node_kind::in_list);
  n->negated = e.negated;
  if (!bind_operands(e, *n)) return nullptr;
  for (std::size_t i = 1; i < n->operands.size(); ++i) convert(*n->operands[0], n->operands[i]);
  return finish_list(std::move(n));
}

node_pointer binder::finish_list(node_pointer n) {
  const node& value = *n->operands[0];
  const bool by_bytes = !value.is_constant() && (value.type.is_untyped() || value.type.is_text());
  const auto is_plain = [](const node_pointer& o) {
    return o->is_constant() && (o->constant.is_text() || o->constant.is_null());
  };
  // Only of columns is it certain that they give texts.
  if (!by_bytes || value.kind != node_kind::column ||
      !std::all_of(n->operands.begin() + 1, n->operands.end(), is_plain)) {
    return finish(std::move(n));
  }
  for (std::size_t i = 1; i < n->operands.size(); ++i) {
    const datum& item = n->operands[i]->constant;
    if (item.is_null()) {
      n->has_null = true;
    } else {
      n->texts.emplace(item.text());
    }
  }
  n->kind = node_kind::in_texts;
  n->operands.resize(1);
  n->type = result_type(*n);
  return n;
}

node_pointer binder::like(const parser::expression& e) {
  node_pointer n = make(node_kind::like);
  n->negated = e.negated;
  n->text = "\\";
  if (!bind_operands(e, *n)) return nullptr;
  if (n->operands.size() == 3) {
    const node& escape = *n->operands[2];
    const auto characters = [](std::string_view text) {
      return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    };
    if (!escape.is_constant() || !escape.constant.is_text() || characters(escape.constant.text()) > 1) {
      return fail(sql_error{1210, "HY000", "Incorrect arguments to ESCAPE; give one character"});
    }
    n->text = escape.constant.text();
    n->operands.pop_back();
  }
  return finish(std::move(n));
}

// Subqueries

const inner_result* binder::inner_of(const parser::expression& e) {
  if (names_.inner != nullptr) {
    const auto found =
        std::ranges::find_if(*names_.inner, [&](const auto& entry) { return entry.first == e.subquery; });
    if (found != names_.inner->end()) {
      if (found->second.types.size() == 1) return &found->second;
      fail(sql_error{1241, "21000", "Operand should contain 1 column(s)"});
      return nullptr;
    }
  }
  fail(sql_error{1235, "42000", "A subquery cannot stand here"});
  return nullptr;
}

node_pointer binder::subquery(const parser::expression& e) {
  const inner_result* inner = inner_of(e);
  if (inner == nullptr) return nullptr;
  if (inner->rows.size() > 1) return fail(sql_error{1242, "21000", "Subquery returns more than 1 row"});
  if (inner->rows.empty() || !inner->rows[0][0]) return make_constant({}, inner->types[0]);
  evaluation memory(memory_, 0);
  return make_constant(datum_of(memory, inner->types[0], value(*inner->rows[0][0])), inner->types[0]);
}

node_pointer binder::in_subquery(const parser::expression& e) {
  node_pointer n = make(node_kind::in_list);
  n->negated = e.negated;
  if (!bind_operands(e, *n)) return nullptr;
  const inner_result* inner = inner_of(e);
  if (inner == nullptr) return nullptr;
  evaluation memory(memory_, 0);
  for (const auto& row : inner->rows) {
    node_pointer item =
        make_constant(row[0] ? datum_of(memory, inner->types[0], value(*row[0])) : datum{}, inner->types[0]);
    convert(*n->operands[0], item);
    n->operands.push_back(std::move(item));
  }
  return finish_list(std::move(n));
}

}  // namespace pubsubsql::storage::sql
