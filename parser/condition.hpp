#pragma once

#include <string_view>

#include "parser/ast.hpp"
#include "parser/parser.hpp"
#include "parser/result.hpp"

namespace pubsubsql::parser {

/// Reads what may stand behind `where`, and nothing besides; otherwise as parse().
[[nodiscard]] result<condition, syntax_error> parse_condition(std::string_view text, statement_arena& arena);

}  // namespace pubsubsql::parser
