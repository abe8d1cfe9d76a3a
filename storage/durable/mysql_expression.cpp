#include "storage/durable/mysql_expression.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <vector>

#include "parser/keywords.hpp"
#include "parser/print_expression.hpp"
#include "storage/sql/expression_text.hpp"
#include "storage/sql/interval_text.hpp"

namespace pubsubsql::storage::durable {

namespace {

using parser::expression;
using parser::operation;

/// Makes expressions of MySQL's of ours.
class translator {
 public:
  explicit translator(parser::statement_arena& arena) : arena_(arena), memory_(arena.resource()) {}

  [[nodiscard]] expression* translate(const expression& e) {
    expression* out = parser::copy_node(e, arena_, [this](const expression& o) { return translate(o); });
    if (e.op == operation::text) {
      out->alone = false;  // or it may be printed without quotes
      out->text = escaped(e.text);
    } else if (e.op == operation::concatenate) {
      out->op = operation::call;
      out->text = "concat";
    } else if (e.operands.size() == 2) {
      out = with_units(out, e);
    }
    return out;
  }

 private:
  static bool names_units(const expression& e) { return e.op == operation::interval && e.text.empty(); }

  /// What an interval that names its units is added to gets one unit after the other.
  expression* with_units(expression* out, const expression& e) {
    const bool is_first = e.op == operation::add && names_units(*e.operands[0]);
    const expression& interval = *e.operands[is_first ? 0 : 1];
    if (!names_units(interval)) return out;
    expression* sum = out->operands[is_first ? 1 : 0];
    for (const expression& part : parts_of(interval)) sum = binary(*out, sum, new_node(part));
    return sum;
  }

  std::vector<expression> parts_of(const expression& interval) {
    constexpr std::int64_t us_per_second = 1'000'000;
    constexpr std::int64_t us_per_day = 86'400 * us_per_second;
    std::pmr::monotonic_buffer_resource scratch;
    sql::evaluation e(scratch, 0);
    const auto amounts = sql::parse_interval(e, interval.operands[0]->text);
    if (!amounts) return {interval};
    std::vector<expression> parts;
    const std::int64_t us = amounts->microseconds();
    if (amounts->months() != 0) parts.push_back(one_unit(amounts->months(), "month"));
    if (us % us_per_day == 0 && !amounts->is_of_day()) {
      if (us != 0 || parts.empty()) parts.push_back(one_unit(us / us_per_day, "day"));
    } else if (us % us_per_second == 0) {
      parts.push_back(one_unit(us / us_per_second, "second"));
    } else {
      parts.push_back(one_unit(us, "microsecond"));
    }
    return parts;
  }

  expression one_unit(std::int64_t amount, std::string_view unit) {
    const expression number{.op = operation::number, .text = keep(std::to_string(amount))};
    return {.op = operation::interval, .text = unit, .operands = list({new_node(number)})};
  }

  expression* binary(const expression& like, expression* left, expression* right) {
    expression e = like;
    e.operands = list({left, right});
    return new_node(e);
  }

  std::string_view escaped(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) return text;
    std::string out;
    for (const char c : text) out.append(c == '\\' ? 2 : 1, c);
    return keep(out);
  }

  expression* new_node(const expression& e) { return memory_.new_object<expression>(e); }

  std::span<expression* const> list(std::initializer_list<expression*> nodes) {
    expression** const kept = memory_.allocate_object<expression*>(nodes.size());
    std::ranges::copy(nodes, kept);
    return {kept, nodes.size()};
  }

  std::string_view keep(const std::string& text) {
    char* const kept = memory_.allocate_object<char>(text.size());
    std::ranges::copy(text, kept);
    return {kept, text.size()};
  }

  parser::statement_arena& arena_;
  std::pmr::polymorphic_allocator<> memory_;
};

}  // namespace

std::string to_mysql_expression(std::string_view text) {
  sql::expression_text read(text);
  if (read.get() == nullptr) return std::string(text);
  std::string out;
  parser::print_expression(out, *translator(read.arena()).translate(*read.get()));
  return out;
}

bool is_current_time(std::string_view text) {
  constexpr std::array<std::string_view, 4> names = {"current_timestamp", "now", "localtime", "localtimestamp"};
  const sql::expression_text read(text);
  const expression* const e = read.get();
  return e != nullptr && e->op == operation::call &&
         std::ranges::any_of(names, [&](std::string_view name) { return parser::equals_keyword(e->text, name); });
}

}  // namespace pubsubsql::storage::durable
