// What tables a statement is about.

#include <algorithm>
#include <type_traits>

#include "parser/parser.hpp"
#include "parser/subqueries.hpp"

namespace pubsubsql::parser {

namespace {

template <typename Body>
std::string_view own_table(const Body& body) {
  if constexpr (requires { body.table; }) {
    return body.table;
  } else if constexpr (requires { body.rows.table; }) {
    return body.rows.table;
  } else if constexpr (requires { body.definition.table; }) {
    return body.definition.table;
  } else {
    return {};
  }
}

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
  const auto named = [&](std::string_view table) {
    if (!table.empty() && std::ranges::find(out, table) == out.end()) out.push_back(table);
  };
  named(table_of(s));
  if (const auto* bind = std::get_if<bind_statement>(&s.body)) named(bind->queue);
  std::vector<const select_statement*> subqueries;
  subqueries_of(s.body, subqueries, subquery_order::outer_first);
  for (const select_statement* inner : subqueries) named(inner->table);
}

bool is_read_only(const statement_body& body) {
  const auto is_any = [&]<typename... Bodies>() { return (std::holds_alternative<Bodies>(body) || ...); };
  return is_any.template
  operator()<select_statement, peek_statement, explain_statement, describe_statement, show_tables_statement,
             status_statement, mysql_status_statement, mysql_tables_statement, mysql_check_statement>();
}

}  // namespace pubsubsql::parser
