// The statements of MySQL's mirroring.

#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

bool statement_parser::mysql(statement_body& out) {
  if (scanner_.accept_keyword("connect")) return mysql_connect(out);
  if (scanner_.accept_keyword("subscribe")) return mysql_subscribe(out);
  if (scanner_.accept_keyword("unsubscribe")) return mysql_unsubscribe(out);
  if (scanner_.accept_keyword("check")) return mysql_check(out);
  if (scanner_.accept_keyword("repair")) return mysql_repair(out);
  if (scanner_.accept_keyword("disconnect")) {
    out = mysql_disconnect_statement{};
  } else if (scanner_.accept_keyword("status")) {
    out = mysql_status_statement{};
  } else if (scanner_.accept_keyword("tables")) {
    out = mysql_tables_statement{};
  } else {
    return fail("`connect`, `disconnect`, `status`, `tables`, `subscribe`, `unsubscribe`, `check` or `repair`");
  }
  return end("end of statement");
}

bool statement_parser::mysql_connect(statement_body& out) {
  auto& s = out.emplace<mysql_connect_statement>();
  const bool found = scanner_.stands_at_placeholder() ? accept_text(s.address) : scanner_.accept_address(s.address);
  if (!found) return fail("an address such as user:password@tcp(host:3306)/database");
  return end("end of statement");
}

bool statement_parser::mysql_subscribe(statement_body& out) {
  auto& s = out.emplace<mysql_subscribe_statement>();
  return symbol('*', "`*`") && from_table(s.table, "`from`") && where(s.where) &&
         end(s.where ? "end of statement" : "`where` or end of statement");
}

bool statement_parser::mysql_unsubscribe(statement_body& out) {
  return from_table(out.emplace<mysql_unsubscribe_statement>().table, "`from`") && end("end of statement");
}

bool statement_parser::mysql_check(statement_body& out) {
  return table_name(out.emplace<mysql_check_statement>().table) && end("end of statement");
}

bool statement_parser::mysql_repair(statement_body& out) {
  auto& s = out.emplace<mysql_repair_statement>();
  if (!table_name(s.table)) return false;
  s.from_mysql = scanner_.accept_keyword("from");
  if (s.from_mysql && !keyword("mysql", "`mysql`")) return false;
  return end(s.from_mysql ? "end of statement" : "`from mysql` or end of statement");
}

}  // namespace pubsubsql::parser
