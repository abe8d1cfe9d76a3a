#include "parser/parser.hpp"

#include <algorithm>

#include "parser/scanner.hpp"
#include "parser/statement_parser.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

/// Bytes of the statement's line that caret() shows on each side of the offset.
constexpr std::size_t caret_window_bytes = 60;

}  // namespace

std::string message(const syntax_error& error) {
  return "expected " + error.expected + ", found " + error.found + " at offset " + std::to_string(error.offset) +
         (error.is_inner ? " of the statement to be executed" : "");
}

std::string caret(std::string_view sql, std::size_t offset) {
  offset = cut_at_character(sql, offset);
  std::size_t first = sql.substr(0, offset).find_last_of('\n');
  first = first == std::string_view::npos ? 0 : first + 1;
  std::size_t last = std::min(sql.find('\n', offset), sql.size());
  if (last > offset && sql[last - 1] == '\r') --last;

  const bool cut_front = offset - first > caret_window_bytes;
  const bool cut_back = last - offset > caret_window_bytes;
  if (cut_front) first = cut_at_character(sql, offset - caret_window_bytes);
  if (cut_back) last = cut_at_character(sql, offset + caret_window_bytes);

  std::string out = (cut_front ? "..." : "") + std::string(sql.substr(first, last - first)) + (cut_back ? "..." : "");
  out += '\n';
  if (cut_front) out += "   ";
  for (const char c : sql.substr(first, offset - first)) {
    if (!is_utf8_continuation(c)) out += c == '\t' ? '\t' : ' ';
  }
  return out + '^';
}

bool is_blank(std::string_view sql) {
  for (;;) {
    sql.remove_prefix(blank_bytes(sql));
    if (sql.empty()) return true;
    if (sql.front() != ';') return false;
    sql.remove_prefix(1);
  }
}

result<statement, syntax_error> parse(std::string_view sql, statement_arena& arena) {
  if (const std::size_t bad = find_invalid_utf8(sql); bad != std::string_view::npos) {
    return syntax_error{.expected = "UTF-8", .found = "an invalid byte", .offset = bad};
  }
  // Read in its final place: moving a tree costs as much as reading a part of it. It begins as the smallest there is.
  result<statement, syntax_error> out{statement{.body = status_statement{}}};
  statement_parser p(sql, arena);
  if (!p.parse(*out)) out = p.error();
  return out;
}

}  // namespace pubsubsql::parser
