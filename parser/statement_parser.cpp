#include "parser/statement_parser.hpp"

#include <charconv>
#include <string>
#include <utility>

#include "parser/keywords.hpp"

namespace pubsubsql::parser {

bool statement_parser::fail(std::string_view expected) {
  error_ = {.expected = std::string(expected), .found = scanner_.describe_next(), .offset = scanner_.offset()};
  return false;
}

bool statement_parser::keyword(std::string_view word, std::string_view expected) {
  return scanner_.accept_keyword(word) || fail(expected);
}

bool statement_parser::symbol(char c, std::string_view expected) {
  return scanner_.accept(c) || fail(expected);
}

bool statement_parser::table_name(std::string_view& out) {
  return scanner_.accept_name(out) || fail("a table name");
}

bool statement_parser::column_name(std::string_view& out) {
  return scanner_.accept_name(out) || fail("a column name");
}

bool statement_parser::value(literal& out) {
  const std::size_t before = scanner_.offset();
  if (!scanner_.accept_value(out)) return fail("a value");
  const bool quoted = !out.is_null && scanner_.glued() && scanner_.offset() > before;
  return !quoted || fail("white space, `,` or `)` after the string");
}

bool statement_parser::end(std::string_view expected) {
  return scanner_.at_end() || fail(expected);
}

bool statement_parser::parse(statement& out) {
  return scanner_.accept_keyword("stream") ? streamed(out) : body(out.body);
}

bool statement_parser::streamed(statement& out) {
  const std::string_view word = scanner_.peek_word();
  for (const std::string_view refused : {"stream", "close", "stop"}) {
    if (equals_keyword(word, refused)) return fail("a statement that has a reply");
  }
  out.stream = true;
  return body(out.body);
}

bool statement_parser::body(statement_body& out) {
  struct rule {
    std::string_view word;
    bool (statement_parser::*parse)(statement_body&);
  };
  static constexpr rule rules[] = {
      {"update", &statement_parser::update},
      {"select", &statement_parser::select},
      {"insert", &statement_parser::insert},
      {"delete", &statement_parser::delete_rows},
      {"push", &statement_parser::push},
      {"pop", &statement_parser::pop},
      {"peek", &statement_parser::peek},
      {"subscribe", &statement_parser::subscribe},
      {"unsubscribe", &statement_parser::unsubscribe},
      {"key", &statement_parser::key},
      {"tag", &statement_parser::tag},
      {"alter", &statement_parser::alter},
      {"show", &statement_parser::show},
      {"describe", &statement_parser::describe},
      {"desc", &statement_parser::describe},
      {"mysql", &statement_parser::mysql},
  };
  for (const rule& r : rules) {
    if (scanner_.accept_keyword(r.word)) return (this->*r.parse)(out);
  }
  if (scanner_.accept_keyword("status")) {
    out = status_statement{};
  } else if (scanner_.accept_keyword("close")) {
    out = close_statement{};
  } else if (scanner_.accept_keyword("stop")) {
    out = stop_statement{};
  } else {
    return fail("a statement such as insert, select, update, delete or subscribe");
  }
  return end("end of statement");
}

// Parts

bool statement_parser::from_table(std::string_view& table, std::string_view expected) {
  return keyword("from", expected) && table_name(table);
}

bool statement_parser::where(std::optional<condition>& out) {
  if (!scanner_.accept_keyword("where")) return true;
  condition c;
  if (!column_name(c.column) || !symbol('=', "`=`") || !value(c.value)) return false;
  out = c;
  return true;
}

bool statement_parser::columns(projection& out) {
  out.all = scanner_.accept('*');
  return out.all || column_list(out.names);
}

bool statement_parser::column_list(name_list& out) {
  do {
    std::string_view name;
    if (!scanner_.accept_name(name)) return fail(out.empty() ? "`*` or a column name" : "a column name");
    out.push_back(name);
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::returning(std::optional<projection>& out) {
  if (!scanner_.accept_keyword("returning")) return true;
  out.emplace(no_columns());
  return columns(*out);
}

bool statement_parser::value_row(row_source& out) {
  if (!symbol('(', "`(`")) return false;
  const auto counted = [&] { return std::to_string(out.columns.size()) + " values, one for each column"; };
  for (std::size_t n = 0; n < out.columns.size(); ++n) {
    if (n > 0 && !scanner_.accept(',')) return fail("`,` and a value: " + counted());
    literal v;
    if (!value(v)) return false;
    out.values.push_back(v);
  }
  return scanner_.accept(')') || fail("`)` after " + counted());
}

bool statement_parser::value_rows(row_source& out) {
  do {
    if (!value_row(out)) return false;
  } while (scanner_.accept(','));
  return true;
}

row_source statement_parser::no_rows() {
  return {.table = {}, .columns = names(), .width = 0, .values = literal_list(arena_.resource()), .returning = {}};
}

bool statement_parser::rows(row_source& out) {
  if (!keyword("into", "`into`") || !table_name(out.table) || !symbol('(', "`(` and column names")) return false;
  do {
    std::string_view name;
    if (!column_name(name)) return false;
    out.columns.push_back(name);
  } while (scanner_.accept(','));
  out.width = out.columns.size();
  out.values.reserve(out.width);
  return symbol(')', "`,` or `)`") && keyword("values", "`values`") && value_rows(out) && returning(out.returning) &&
         end("`,` and more values, `returning` or end of statement");
}

queue_end statement_parser::end_of_queue() {
  // `front` and `back` may be columns as well; a direction is never followed by a comma.
  const std::size_t before = scanner_.offset();
  for (const auto& [word, direction] : {std::pair{"front", queue_end::front}, std::pair{"back", queue_end::back}}) {
    if (!scanner_.accept_keyword(word)) continue;
    if (!scanner_.accept(',')) return direction;
    scanner_.rewind(before);
  }
  return queue_end::back;
}

// Statements

bool statement_parser::insert(statement_body& out) {
  return rows(out.emplace<insert_statement>(insert_statement{.rows = no_rows()}).rows);
}

bool statement_parser::push(statement_body& out) {
  auto& s = out.emplace<push_statement>(push_statement{.end = end_of_queue(), .rows = no_rows()});
  return rows(s.rows);
}

bool statement_parser::select(statement_body& out) {
  auto& s = out.emplace<select_statement>(select_statement{.columns = no_columns(), .table = {}, .where = {}});
  return columns(s.columns) && from_table(s.table, s.columns.all ? "`from`" : "`,` or `from`") && where(s.where) &&
         end(s.where ? "end of statement" : "`where` or end of statement");
}

bool statement_parser::assignments(update_statement& out) {
  do {
    assignment a;
    if (!column_name(a.column) || !symbol('=', "`=`") || !value(a.value)) return false;
    out.set.push_back(a);
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::update(statement_body& out) {
  auto& s = out.emplace<update_statement>(update_statement{
      .table = {}, .set = std::pmr::vector<assignment>(arena_.resource()), .where = {}, .returning = {}});
  return table_name(s.table) && keyword("set", "`set`") && assignments(s) && where(s.where) && returning(s.returning) &&
         end(s.where ? "`returning` or end of statement" : "`,`, `where`, `returning` or end of statement");
}

bool statement_parser::delete_rows(statement_body& out) {
  auto& s = out.emplace<delete_statement>();
  return from_table(s.table, "`from`") && where(s.where) && returning(s.returning) &&
         end(s.where ? "`returning` or end of statement" : "`where`, `returning` or end of statement");
}

bool statement_parser::pop_without_columns(pop_statement& out) {
  // `from` may be a column as well: `pop from from T`, `pop from, c from T`.
  const std::size_t before = scanner_.offset();
  if (scanner_.accept_keyword("from")) {
    const bool column = equals_keyword(scanner_.peek_word(), "from");
    if (scanner_.accept_name(out.table) && (!column || scanner_.at_end())) return true;
  }
  scanner_.rewind(before);
  return false;
}

bool statement_parser::pop(statement_body& out) {
  auto& s = out.emplace<pop_statement>();
  s.end = end_of_queue();
  if (!pop_without_columns(s)) {
    s.columns.emplace(no_columns());
    if (!columns(*s.columns) || !from_table(s.table, s.columns->all ? "`from`" : "`,` or `from`")) return false;
  }
  return end("end of statement");
}

bool statement_parser::peek(statement_body& out) {
  auto& s = out.emplace<peek_statement>(peek_statement{.end = end_of_queue(), .columns = no_columns(), .table = {}});
  return columns(s.columns) && from_table(s.table, s.columns.all ? "`from`" : "`,` or `from`") &&
         end("end of statement");
}

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

bool statement_parser::subscribe(statement_body& out) {
  auto& s = out.emplace<subscribe_statement>();
  s.skip = scanner_.accept_keyword("skip");
  return symbol('*', s.skip ? "`*`" : "`*` or `skip`") && from_table(s.table, "`from`") && where(s.where) &&
         end(s.where ? "end of statement" : "`where` or end of statement");
}

bool statement_parser::unsubscribe(statement_body& out) {
  auto& s = out.emplace<unsubscribe_statement>();
  if (!from_table(s.table, "`from`")) return false;
  if (scanner_.accept_keyword("where")) {
    if (!keyword("pubsubid", "`pubsubid`") || !symbol('=', "`=`")) return false;
    const std::size_t before = scanner_.offset();
    literal number;
    if (!value(number)) return false;
    const char* const last = number.text.data() + number.text.size();
    std::uint64_t id = 0;
    const auto [stop, problem] = std::from_chars(number.text.data(), last, id);
    if (problem != std::errc{} || stop != last) {
      scanner_.rewind(before);
      return fail("the number that subscribe returned");
    }
    s.pubsubid = id;
  }
  return end(s.pubsubid ? "end of statement" : "`where` or end of statement");
}

bool statement_parser::show(statement_body& out) {
  out = show_tables_statement{};
  return keyword("tables", "`tables`") && end("end of statement");
}

bool statement_parser::describe(statement_body& out) {
  return table_name(out.emplace<describe_statement>().table) && end("end of statement");
}

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
  if (!scanner_.accept_address(s.address)) return fail("an address such as user:password@tcp(host:3306)/database");
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
