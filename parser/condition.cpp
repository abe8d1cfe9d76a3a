#include "parser/condition.hpp"

#include <optional>
#include <utility>

#include "parser/statement_parser.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

result<condition, syntax_error> parse_condition(std::string_view text, statement_arena& arena) {
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return syntax_error{.expected = "UTF-8", .found = "an invalid byte", .offset = bad};
  }
  std::optional<condition> out;
  statement_parser p(text, arena);
  if (!p.parse_condition(out)) return p.error();
  return std::move(*out);
}

}  // namespace pubsubsql::parser
