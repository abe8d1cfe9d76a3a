// Statements that declare: tables, columns, indexes.

#include <utility>

#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

bool statement_parser::key(statement_body& out) {
  auto& s = out.emplace<key_statement>();
  return table_name(s.table) && column_name(s.column) && end("end of statement");
}

bool statement_parser::tag(statement_body& out) {
  auto& s = out.emplace<tag_statement>();
  return table_name(s.table) && column_name(s.column) && end("end of statement");
}

bool statement_parser::acknowledgement(ack_mode& out) {
  for (const auto& [word, mode] :
       {std::pair{"memory", ack_mode::memory}, std::pair{"committed", ack_mode::committed}}) {
    if (!scanner_.accept_keyword(word)) continue;
    out = mode;
    return true;
  }
  return fail("`memory` or `committed`");
}

bool statement_parser::alter(statement_body& out) {
  auto& s = out.emplace<alter_ack_statement>();
  return keyword("table", "`table`") && table_name(s.table) && keyword("set", "`set`") && keyword("ack", "`ack`") &&
         symbol('=', "`=`") && acknowledgement(s.ack) && end("end of statement");
}

bool statement_parser::create(statement_body&) {
  return fail("`table`");
}

bool statement_parser::drop(statement_body&) {
  return fail("`table`");
}

bool statement_parser::truncate(statement_body&) {
  return fail("`table`");
}

}  // namespace pubsubsql::parser
