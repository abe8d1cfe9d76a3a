// Statements that have values for the `?` of another statement.

#include <string>

#include "parser/placeholders.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

bool statement_parser::inner_text(std::string_view& out) {
  if (is_inner_) return fail("a statement other than prepare, execute and deallocate");
  return scanner_.accept_text(out) || fail("a statement as a text in quotes");
}

bool statement_parser::inner(std::string_view sql, placeholders& bound, statement& out) {
  statement_parser p(sql, arena_, bound);
  const bool met = out.stream ? p.streamed(out) : p.parse(out);
  if (met) return true;
  error_ = p.error();
  error_.is_inner = true;
  return false;
}

bool statement_parser::bound_values(std::pmr::vector<bound_value>& out) {
  do {
    if (!scanner_.accept_bound_value(out.emplace_back()))
      return fail("a text in quotes, a number, null, true or false");
    if (scanner_.glued() && out.back().is == bound_value::kind::text) return fail("`,` or end of statement");
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::using_values(std::pmr::vector<bound_value>& out, std::size_t& from) {
  if (scanner_.accept_keyword("using")) {
    from = scanner_.offset();
    if (!bound_values(out)) return false;
  }
  return end(out.empty() ? "`using` or end of statement" : "`,` or end of statement");
}

bool statement_parser::execute(statement& out) {
  const std::size_t before = scanner_.offset();
  if (scanner_.accept_keyword("immediate") && !scanner_.at_end() && !scanner_.keyword_follows("using")) {
    return execute_immediate(out);
  }
  scanner_.rewind(before);  // a statement that was prepared by this name
  return execute_prepared(out.body);
}

bool statement_parser::execute_immediate(statement& out) {
  std::string_view sql;
  auto values = list_of<bound_value>();
  if (!inner_text(sql) || !using_values(values, out.values_from)) return false;
  placeholders bound(values, arena_);
  if (!inner(sql, bound, out)) return false;
  if (bound.count() == values.size()) return true;
  error_ = {
      .expected = std::to_string(bound.count()) + (bound.count() == 1 ? " value" : " values") + ", one for each `?`",
      .found = std::to_string(values.size()),
      .offset = bound.count() > values.size() ? bound.first_missing() : sql.size(),
      .is_inner = true};
  return false;
}

bool statement_parser::execute_prepared(statement_body& out) {
  if (is_inner_) return fail("a statement other than prepare, execute and deallocate");
  auto& s = out.emplace<execute_statement>(execute_statement{.name = {}, .values = list_of<bound_value>()});
  std::size_t from = 0;
  if (!scanner_.accept_name(s.name)) return fail("`immediate` or the name of a prepared statement");
  if (!using_values(s.values, from)) return false;
  if (from > 0) s.list = scanner_.source_from(from);
  return true;
}

bool statement_parser::prepare(statement_body& out) {
  auto& s = out.emplace<prepare_statement>();
  if (!scanner_.accept_name(s.name)) return fail("a name for the statement");
  if (!keyword("from", "`from`") || !inner_text(s.sql) || !end("end of statement")) return false;
  placeholders open({}, arena_);
  statement read{.body = status_statement{}};
  if (!inner(s.sql, open, read)) return false;
  s.parameters = open.count();
  return true;
}

bool statement_parser::deallocate_prepare(statement_body& out) {
  return keyword("prepare", "`prepare`") && deallocate(out);
}

bool statement_parser::deallocate(statement_body& out) {
  if (is_inner_) return fail("a statement other than prepare, execute and deallocate");
  auto& s = out.emplace<deallocate_statement>();
  return (scanner_.accept_name(s.name) || fail("the name of a prepared statement")) && end("end of statement");
}

}  // namespace pubsubsql::parser
