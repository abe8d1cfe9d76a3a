#include "parser/basic_parser.hpp"

#include <string>

#include "parser/keywords.hpp"

namespace pubsubsql::parser {

bool basic_parser::fail(std::string_view expected) {
  error_ = {.expected = std::string(expected), .found = scanner_.describe_next(), .offset = scanner_.offset()};
  return false;
}

bool basic_parser::rename_failure(std::size_t start, std::string_view expected) {
  if (error_.offset == start) error_.expected = expected;
  return false;
}

bool basic_parser::keyword(std::string_view word, std::string_view expected) {
  return scanner_.accept_keyword(word) || fail(expected);
}

bool basic_parser::symbol(char c, std::string_view expected) {
  return scanner_.accept(c) || fail(expected);
}

bool basic_parser::table_name(std::string_view& out) {
  return scanner_.accept_name(out) || fail("a table name");
}

bool basic_parser::column_name(std::string_view& out) {
  return scanner_.accept_name(out) || fail("a column name");
}

bool basic_parser::plain_value(literal& out) {
  const std::size_t start = scanner_.offset();
  if (!scanner_.accept_value(out)) return fail("a value");
  return ends_properly(out, start);
}

bool basic_parser::accept_text(std::string_view& out) {
  if (scanner_.accept_text(out)) return true;
  const std::size_t start = scanner_.offset();
  bound_value given;
  if (!scanner_.accept_placeholder(given)) return false;
  out = given.text;
  if (given.is == bound_value::kind::text || given.is == bound_value::kind::missing) return true;
  scanner_.rewind(start);
  return false;
}

bool basic_parser::ends_properly(const literal& taken, std::size_t start) {
  const bool runs_on = !taken.is_null && scanner_.glued() && scanner_.offset() > start;
  return !runs_on || fail("white space, `,` or `)` after the value");
}

bool basic_parser::end(std::string_view expected) {
  return scanner_.at_end() || fail(expected);
}

bool basic_parser::too_many_parts() {
  fail("a statement of at most " + std::to_string(arena_.parts_max()) +
       " names and parts of expressions (raise --max-statement-parts)");
  error_.limit = "max-statement-parts";
  return false;
}

bool basic_parser::accept_words(std::initializer_list<std::string_view> words) {
  const std::size_t before = scanner_.offset();
  for (const std::string_view word : words) {
    std::string_view name;
    if (equals_keyword(scanner_.peek_word(), word) && scanner_.accept_name(name)) continue;
    scanner_.rewind(before);
    return false;
  }
  return true;
}

}  // namespace pubsubsql::parser
