#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "parser/ast.hpp"
#include "parser/parser.hpp"
#include "parser/scanner.hpp"

namespace pubsubsql::parser {

/// Recursive descent over one statement, one function for each rule of the grammar. A rule returns whether it was met;
/// the first that is not sets error(), and all above it return at once.
class statement_parser {
 public:
  statement_parser(std::string_view sql, statement_arena& arena) : scanner_(sql, arena), arena_(arena) {}

  bool parse(statement& out);

  /// REQUIRES: parse() returned false.
  [[nodiscard]] const syntax_error& error() const { return error_; }

 private:
  bool body(statement_body& out);
  bool streamed(statement& out);

  // Statements; the leading keyword has been taken.
  bool insert(statement_body& out);
  bool select(statement_body& out);
  bool update(statement_body& out);
  bool delete_rows(statement_body& out);
  bool push(statement_body& out);
  bool pop(statement_body& out);
  bool peek(statement_body& out);
  bool key(statement_body& out);
  bool tag(statement_body& out);
  bool alter(statement_body& out);
  bool subscribe(statement_body& out);
  bool unsubscribe(statement_body& out);
  bool show(statement_body& out);
  bool describe(statement_body& out);
  bool mysql(statement_body& out);
  bool mysql_connect(statement_body& out);
  bool mysql_subscribe(statement_body& out);
  bool mysql_unsubscribe(statement_body& out);
  bool mysql_check(statement_body& out);
  bool mysql_repair(statement_body& out);

  // Parts
  bool rows(row_source& out);
  bool value_rows(row_source& out);
  bool value_row(row_source& out);
  bool column_list(name_list& out);
  bool columns(projection& out);
  bool from_table(std::string_view& table, std::string_view expected);
  bool where(std::optional<condition>& out);
  bool returning(std::optional<projection>& out);
  bool assignments(update_statement& out);
  bool acknowledgement(ack_mode& out);
  bool pop_without_columns(pop_statement& out);
  queue_end end_of_queue();

  bool keyword(std::string_view word, std::string_view expected);
  bool symbol(char c, std::string_view expected);
  bool table_name(std::string_view& out);
  bool column_name(std::string_view& out);
  bool value(literal& out);
  bool end(std::string_view expected);
  bool fail(std::string_view expected);

  // Lists must be made with the arena's memory: assigning one later would keep the memory it was made with.
  [[nodiscard]] name_list names() { return name_list(arena_.resource()); }
  [[nodiscard]] projection no_columns() { return {.all = false, .names = names()}; }
  [[nodiscard]] row_source no_rows();

  scanner scanner_;
  statement_arena& arena_;
  syntax_error error_;
};

}  // namespace pubsubsql::parser
