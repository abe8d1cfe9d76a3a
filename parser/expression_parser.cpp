#include "parser/expression_parser.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "parser/keywords.hpp"

namespace pubsubsql::parser {

namespace {

struct operator_rule {
  std::string_view written;
  operation op;
  int binding;
};

// `||` is bound as MySQL does with PIPES_AS_CONCAT.
constexpr operator_rule symbols[] = {
    {"+", operation::add, 1},    {"-", operation::subtract, 1}, {"*", operation::multiply, 2},
    {"/", operation::divide, 2}, {"%", operation::modulo, 2},   {"||", operation::concatenate, 3},
};
constexpr operator_rule word_operators[] = {
    {"div", operation::integer_divide, 2},
    {"mod", operation::modulo, 2},
};
// Longer ones before those they begin with.
constexpr operator_rule comparisons[] = {
    {"<=>", operation::null_safe_equal, 0}, {"<=", operation::less_equal, 0},
    {"<>", operation::not_equal, 0},        {"<", operation::less, 0},
    {">=", operation::greater_equal, 0},    {">", operation::greater, 0},
    {"!=", operation::not_equal, 0},        {"=", operation::equal, 0},
};

}  // namespace

/// One level of parentheses or calls deeper, while it lives.
class expression_parser::level {
 public:
  explicit level(expression_parser& p) : parser_(p) { ++parser_.depth_; }
  ~level() { --parser_.depth_; }
  level(const level&) = delete;
  level& operator=(const level&) = delete;

  [[nodiscard]] bool is_too_deep() const { return parser_.depth_ > expression_depth_max; }

 private:
  expression_parser& parser_;
};

bool expression_parser::expression_of(expression*& out) {
  tree t;
  if (!any(t)) return false;
  out = t.node;
  height_max_ = std::max(height_max_, t.height);
  return true;
}

bool expression_parser::value(literal& out) {
  const std::size_t start = scanner_.offset();
  switch (scanner_.accept_operand(out, character::arithmetic | character::comparison)) {
    case operand_kind::none:
      return fail("a value");
    case operand_kind::value:
      return ends_properly(out, start);
    case operand_kind::expression:
      break;
  }
  out = {};
  return expression_of(out.computed);
}

bool expression_parser::default_value(literal& out) {
  const std::size_t start = scanner_.offset();
  out = {};
  switch (scanner_.accept_operand(out, character::arithmetic)) {
    case operand_kind::none:
      return fail("a value");
    case operand_kind::value:
      if (!is_function_without_parentheses(scanner_.source_from(start))) return ends_properly(out, start);
      scanner_.rewind(start);
      break;
    case operand_kind::expression:
      break;
  }
  out = {};
  tree t;
  if (!arithmetic(t)) return false;
  out.computed = t.node;
  return true;
}

// Nodes

expression* expression_parser::new_expression(const expression& e) {
  return new (arena_.resource()->allocate(sizeof(expression), alignof(expression))) expression(e);
}

bool expression_parser::too_deep() {
  return fail("an expression of at most " + std::to_string(expression_depth_max) + " levels");
}

bool expression_parser::make(tree& out, std::size_t start, expression e, std::span<expression* const> operands,
                             std::size_t height) {
  if (height >= expression_depth_max) return too_deep();
  if (!part()) return false;
  e.operands = operands;
  e.source = scanner_.source_from(start);
  out = {.node = new_expression(e), .height = height + 1};
  return true;
}

bool expression_parser::make(tree& out, std::size_t start, expression e, std::initializer_list<expression*> operands,
                             std::size_t height) {
  const std::size_t before = collected_.size();
  collected_.insert(collected_.end(), operands.begin(), operands.end());
  return make(out, start, e, collected(before), height);
}

bool expression_parser::leaf(tree& out, std::size_t start, operation op, std::string_view text) {
  return make(out, start, {.op = op, .text = text}, std::span<expression* const>{}, 0);
}

std::span<expression* const> expression_parser::collected(std::size_t before) {
  const std::size_t count = collected_.size() - before;
  if (count == 0) return {};
  void* const memory = arena_.resource()->allocate(count * sizeof(expression*), alignof(expression*));
  auto* const list = static_cast<expression**>(memory);
  std::uninitialized_copy(collected_.begin() + static_cast<std::ptrdiff_t>(before), collected_.end(), list);
  collected_.resize(before);
  return {list, count};
}

// Logic

bool expression_parser::nary(tree& out, operation op, std::string_view keyword,
                             bool (expression_parser::*part)(tree&)) {
  const std::size_t start = scanner_.offset();
  if (!(this->*part)(out)) return false;
  if (!scanner_.keyword_follows(keyword)) return true;
  const std::size_t before = collected_.size();
  std::size_t height = out.height;
  collected_.push_back(out.node);
  while (scanner_.accept_keyword(keyword)) {
    if (!(this->*part)(out)) return false;
    height = std::max(height, out.height);
    collected_.push_back(out.node);
  }
  return make(out, start, {.op = op}, collected(before), height);
}

bool expression_parser::any(tree& out) {
  return nary(out, operation::logical_or, "or", &expression_parser::exclusive);
}

bool expression_parser::exclusive(tree& out) {
  const std::size_t start = scanner_.offset();
  if (!conjunction(out)) return false;
  while (scanner_.accept_keyword("xor")) {
    tree right;
    if (!conjunction(right)) return false;
    if (!make(out, start, {.op = operation::logical_xor}, {out.node, right.node}, std::max(out.height, right.height))) {
      return false;
    }
  }
  return true;
}

bool expression_parser::conjunction(tree& out) {
  return nary(out, operation::logical_and, "and", &expression_parser::negation);
}

bool expression_parser::negation(tree& out) {
  const std::size_t start = scanner_.offset();
  if (!scanner_.accept_keyword("not")) return comparison(out);
  // `not = 1` is about a column of that name.
  const bool is_name = scanner_.at_end() || scanner_.stands_at(')') || scanner_.stands_at(',') ||
                       scanner_.operator_follows(character::comparison);
  if (is_name && !scanner_.keyword_follows("not")) {
    scanner_.rewind(start);
    return comparison(out);
  }
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  return negation(out) && make(out, start, {.op = operation::logical_not}, {out.node}, out.height);
}

// Comparisons

bool expression_parser::comparison(tree& out) {
  const std::size_t start = scanner_.offset();
  if (!arithmetic(out)) return false;
  while (scanner_.operator_follows(character::comparison)) {
    bool found = false;
    if (!compare(out, start, found)) return false;
    if (found) continue;
    if (scanner_.accept_keyword("is")) {
      if (!test_is(out, start)) return false;
      continue;
    }
    const std::size_t before = scanner_.offset();
    const bool negated = scanner_.accept_keyword("not");
    bool met = false;
    if (scanner_.accept_keyword("between")) {
      met = test_range(out, start, negated);
    } else if (scanner_.accept_keyword("like")) {
      met = test_pattern(out, start, negated);
    } else if (scanner_.accept_keyword("in")) {
      met = test_list(out, start, negated);
    } else {
      scanner_.rewind(before);
      return true;
    }
    if (!met) return false;
  }
  return true;
}

bool expression_parser::compare(tree& left, std::size_t start, bool& found) {
  for (const operator_rule& rule : comparisons) {
    if (!scanner_.accept_symbol(rule.written)) continue;
    found = true;
    tree right;
    return operand(right) &&
           make(left, start, {.op = rule.op}, {left.node, right.node}, std::max(left.height, right.height));
  }
  return true;
}

bool expression_parser::test_is(tree& left, std::size_t start) {
  const bool negated = scanner_.accept_keyword("not");
  static constexpr std::pair<std::string_view, operation> tests[] = {{"null", operation::is_null},
                                                                     {"true", operation::is_true},
                                                                     {"false", operation::is_false},
                                                                     {"unknown", operation::is_null}};
  for (const auto& [word, op] : tests) {
    if (!scanner_.accept_keyword(word)) continue;
    return make(left, start, {.op = op, .negated = negated}, {left.node}, left.height);
  }
  return fail(negated ? "`null`, `true` or `false`" : "`not`, `null`, `true` or `false`");
}

bool expression_parser::test_range(tree& left, std::size_t start, bool negated) {
  tree low;
  tree high;
  return operand(low) && keyword("and", "`and`") && operand(high) &&
         make(left, start, {.op = operation::between, .negated = negated}, {left.node, low.node, high.node},
              std::max({left.height, low.height, high.height}));
}

bool expression_parser::test_pattern(tree& left, std::size_t start, bool negated) {
  tree pattern;
  if (!operand(pattern)) return false;
  const expression like{.op = operation::like, .negated = negated};
  const std::size_t height = std::max(left.height, pattern.height);
  if (!scanner_.accept_keyword("escape")) return make(left, start, like, {left.node, pattern.node}, height);
  tree escape;
  return operand(escape) &&
         make(left, start, like, {left.node, pattern.node, escape.node}, std::max(height, escape.height));
}

bool expression_parser::test_list(tree& left, std::size_t start, bool negated) {
  if (!symbol('(', "`(`")) return false;
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  if (query_follows()) {
    tree found;
    if (!subquery(found, start)) return false;
    return make(left, start, {.op = operation::in_subquery, .negated = negated, .subquery = found.node->subquery},
                {left.node}, std::max(left.height, found.height));
  }
  const std::size_t before = collected_.size();
  std::size_t height = left.height;
  collected_.push_back(left.node);
  do {
    tree item;
    if (!operand(item)) return false;
    height = std::max(height, item.height);
    collected_.push_back(item.node);
  } while (scanner_.accept(','));
  return symbol(')', "`,` or `)`") &&
         make(left, start, {.op = operation::in_list, .negated = negated}, collected(before), height);
}

bool expression_parser::operand(tree& out) {
  const std::size_t start = scanner_.offset();
  literal taken;
  switch (scanner_.accept_operand(taken, character::arithmetic)) {
    case operand_kind::none:
      return fail("a value");
    case operand_kind::value:
      if (!ends_properly(taken, start)) return false;
      if (taken.is_null) return leaf(out, start, operation::null, {});
      return make(out, start, {.op = operation::text, .alone = true, .text = taken.text},
                  std::span<expression* const>{}, 0);
    case operand_kind::expression:
      break;
  }
  return arithmetic(out);
}

// Arithmetic

bool expression_parser::arithmetic(tree& out, int binding_min) {
  const std::size_t start = scanner_.offset();
  if (!unary(out)) return false;
  while (scanner_.operator_follows(character::arithmetic)) {
    const std::size_t before = scanner_.offset();
    const operator_rule* rule = nullptr;
    for (const operator_rule& r : symbols) {
      if (rule == nullptr && scanner_.accept_symbol(r.written)) rule = &r;
    }
    for (const operator_rule& r : word_operators) {
      if (rule == nullptr && scanner_.accept_keyword(r.written)) rule = &r;
    }
    if (rule == nullptr) return true;
    if (rule->binding < binding_min) {
      scanner_.rewind(before);
      return true;
    }
    tree right;
    if (!arithmetic(right, rule->binding + 1)) return false;
    if (!make(out, start, {.op = rule->op}, {out.node, right.node}, std::max(out.height, right.height))) return false;
  }
  return true;
}

bool expression_parser::unary(tree& out) {
  const std::size_t start = scanner_.offset();
  const bool is_minus = scanner_.stands_at('-');
  if (!is_minus && !scanner_.stands_at('!') && !scanner_.stands_at('+')) return primary(out);
  const bool is_plus = scanner_.accept('+');
  if (!is_plus) scanner_.accept(is_minus ? '-' : '!');
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  if (!unary(out)) return false;
  return is_plus ||
         make(out, start, {.op = is_minus ? operation::negate : operation::logical_not}, {out.node}, out.height);
}

bool expression_parser::primary(tree& out) {
  const std::size_t start = scanner_.offset();
  std::string_view text;
  if (scanner_.stands_at('(')) return parentheses(out);
  if (scanner_.stands_at_placeholder()) return bound(out);
  if (scanner_.accept_text(text)) return leaf(out, start, operation::text, text);
  if (scanner_.accept_number(text)) return leaf(out, start, operation::number, text);
  if (scanner_.stands_at('`')) {
    return scanner_.accept_name(text) ? leaf(out, start, operation::column, text) : fail("an expression");
  }
  return word(out);
}

bool expression_parser::bound(tree& out) {
  const std::size_t start = scanner_.offset();
  bound_value given;
  scanner_.accept_placeholder(given);
  if (given.is == bound_value::kind::null) return leaf(out, start, operation::null, {});
  if (given.is != bound_value::kind::number) return leaf(out, start, operation::text, given.text);
  if (!given.text.starts_with('-')) return leaf(out, start, operation::number, given.text);
  return leaf(out, start, operation::number, given.text.substr(1)) &&
         make(out, start, {.op = operation::negate}, {out.node}, out.height);
}

bool expression_parser::parentheses(tree& out) {
  const std::size_t start = scanner_.offset();
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  scanner_.accept('(');
  if (query_follows()) return subquery(out, start);
  return any(out) && symbol(')', "an operator or `)`");
}

bool expression_parser::query_follows() const {
  if (!scanner_.keyword_follows("select")) return false;
  scanner ahead = scanner_;
  ahead.accept_keyword("select");
  if (ahead.at_end()) return false;
  if (ahead.accept('!')) return !ahead.stands_at('=');  // `not` may be first, `!=` may not
  static constexpr std::string_view never_first = "),=<>/%|";
  return std::ranges::none_of(never_first, [&](char c) { return ahead.stands_at(c); });
}

select_statement expression_parser::no_query() {
  return {.columns = no_columns(),
          .table = {},
          .where = {},
          .distinct = false,
          .group_by = expression_list(arena_.resource()),
          .having = nullptr,
          .order_by = list_of<order_item>(),
          .limit = {}};
}

select_statement* expression_parser::new_query() {
  void* const memory = arena_.resource()->allocate(sizeof(select_statement), alignof(select_statement));
  return new (memory) select_statement(no_query());
}

bool expression_parser::subquery(tree& out, std::size_t start) {
  scanner_.accept_keyword("select");
  if (++subqueries_ > subqueries_max) {
    return fail("a statement of at most " + std::to_string(subqueries_max) + " subqueries");
  }
  select_statement* const found = new_query();
  const std::size_t outer_height = std::exchange(height_max_, 0);
  if (!query(*found)) return false;
  const std::size_t height = std::exchange(height_max_, outer_height);
  return symbol(')', "`)`") &&
         make(out, start, {.op = operation::subquery, .subquery = found}, std::span<expression* const>{}, height);
}

// Words

bool expression_parser::word(tree& out) {
  const std::size_t start = scanner_.offset();
  std::string_view name;
  if (!scanner_.accept_name(name)) return fail("an expression");
  if (equals_keyword(name, "null")) return leaf(out, start, operation::null, {});
  if (equals_keyword(name, "true") || equals_keyword(name, "false")) {
    return leaf(out, start, operation::boolean, name);
  }
  if (equals_keyword(name, "interval") && scanner_.interval_follows()) return interval(out, start);
  if (scanner_.stands_at('(')) {
    if (is_aggregate(name)) return aggregate(out, start, name);
    if (is_function(name) || !is_keyword(name)) return call(out, start, name);
    scanner_.rewind(start);
    return fail("an expression");
  }
  return leaf(out, start, is_function_without_parentheses(name) ? operation::call : operation::column, name);
}

bool expression_parser::interval(tree& out, std::size_t start) {
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  const std::size_t before = scanner_.offset();
  std::string_view amount;
  const bool is_text = accept_text(amount);
  if (!(is_text ? leaf(out, before, operation::text, amount) : unary(out))) return false;
  std::string_view unit;
  if (is_interval_unit(scanner_.peek_word())) {
    scanner_.accept_name(unit);
  } else if (!is_text) {
    return fail("a unit of time such as `second`, `hour` or `day`");
  }
  return make(out, start, {.op = operation::interval, .text = unit}, {out.node}, out.height);
}

bool expression_parser::arguments(std::size_t& height) {
  if (scanner_.accept(')')) return true;
  do {
    tree argument;
    if (!any(argument)) return false;
    height = std::max(height, argument.height);
    collected_.push_back(argument.node);
  } while (scanner_.accept(','));
  return symbol(')', "an operator, `,` or `)`");
}

bool expression_parser::call(tree& out, std::size_t start, std::string_view name) {
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  scanner_.accept('(');
  const std::size_t before = collected_.size();
  std::size_t height = 0;
  if (equals_keyword(name, "timestampdiff") && is_interval_unit(scanner_.peek_word())) {
    const std::size_t unit_start = scanner_.offset();
    std::string_view unit;
    tree first;
    scanner_.accept_name(unit);
    if (!leaf(first, unit_start, operation::text, unit) || !symbol(',', "`,`")) return false;
    height = first.height;
    collected_.push_back(first.node);
  }
  return arguments(height) && make(out, start, {.op = operation::call, .text = name}, collected(before), height);
}

bool expression_parser::aggregate(tree& out, std::size_t start, std::string_view name) {
  const level deeper(*this);
  if (deeper.is_too_deep()) return too_deep();
  scanner_.accept('(');
  expression node{.op = operation::aggregate, .text = name};
  if (equals_keyword(name, "count") && scanner_.accept('*')) {
    return symbol(')', "`)`") && make(out, start, node, std::span<expression* const>{}, 0);
  }
  const std::size_t before = scanner_.offset();
  node.distinct = scanner_.accept_keyword("distinct");
  if (node.distinct && (scanner_.stands_at(')') || scanner_.operator_follows(character::comparison))) {
    node.distinct = false;
    scanner_.rewind(before);
  }
  return any(out) && symbol(')', "an operator or `)`") && make(out, start, node, {out.node}, out.height);
}

}  // namespace pubsubsql::parser
