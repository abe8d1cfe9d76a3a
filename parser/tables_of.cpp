// What tables a statement is about.

#include <algorithm>
#include <type_traits>

#include "parser/parser.hpp"

namespace pubsubsql::parser {

namespace {

template <typename Body>
std::string_view own_table(const Body& body) {
  if constexpr (requires { body.table; }) {
    return body.table;
  } else if constexpr (requires { body.rows.table; }) {
    return body.rows.table;
  } else {
    return {};
  }
}

class collector {
 public:
  explicit collector(std::vector<std::string_view>& out) : out_(out) {}

  template <typename Body>
  void statement(const Body& s) {
    if constexpr (std::is_same_v<Body, explain_statement>) {
      std::visit([&](const auto& of) { statement(of); }, s.of);
    } else {
      named(own_table(s));
      if constexpr (requires { s.query; }) {
        if (s.query != nullptr) statement(*s.query);
      }
      if constexpr (requires { s.rows; }) source(s.rows);
      if constexpr (requires { s.updates; }) assignments(s.updates);
      if constexpr (requires { s.set; }) assignments(s.set);
      if constexpr (requires { s.columns.items; }) items(s.columns);
      if constexpr (requires { s.where; }) {
        if (s.where) expressions(s.where->predicate);
      }
      if constexpr (requires { s.group_by; }) {
        for (const expression* e : s.group_by) expressions(e);
      }
      if constexpr (requires { s.having; }) expressions(s.having);
      if constexpr (requires { s.order_by; }) {
        for (const order_item& i : s.order_by) expressions(i.value);
      }
      if constexpr (requires { s.returning; }) {
        if (s.returning) items(*s.returning);
      }
    }
  }

 private:
  void named(std::string_view table) {
    if (!table.empty() && std::ranges::find(out_, table) == out_.end()) out_.push_back(table);
  }

  void source(const row_source& s) {
    for (const literal& l : s.values) expressions(l.computed);
    if (s.returning) items(*s.returning);
  }

  void assignments(const std::pmr::vector<assignment>& list) {
    for (const assignment& a : list) expressions(a.value.computed);
  }

  void items(const projection& p) {
    for (const select_item& i : p.items) expressions(i.value);
  }

  void expressions(const expression* e) {
    if (e == nullptr) return;
    if (e->subquery != nullptr) statement(*e->subquery);
    for (const expression* operand : e->operands) expressions(operand);
  }

  std::vector<std::string_view>& out_;
};

}  // namespace

std::string_view table_of(const statement& s) {
  return std::visit(
      [](const auto& body) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(body)>, explain_statement>) {
          return std::visit([](const auto& of) { return own_table(of); }, body.of);
        } else {
          return own_table(body);
        }
      },
      s.body);
}

void tables_of(const statement& s, std::vector<std::string_view>& out) {
  collector c(out);
  std::visit([&](const auto& body) { c.statement(body); }, s.body);
}

bool is_read_only(const statement_body& body) {
  const auto is_any = [&]<typename... Bodies>() { return (std::holds_alternative<Bodies>(body) || ...); };
  return is_any.template
  operator()<select_statement, peek_statement, explain_statement, describe_statement, show_tables_statement,
             status_statement, mysql_status_statement, mysql_tables_statement, mysql_check_statement>();
}

}  // namespace pubsubsql::parser
