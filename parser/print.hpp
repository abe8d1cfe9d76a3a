#pragma once

#include <string>
#include <string_view>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

/// The statement as SQL text that parse() reads back to an equal tree. Names are backquoted and values quoted only
/// where they have to be.
[[nodiscard]] std::string print(const statement& s);

/// A name as it must stand in a statement: as it is, or in backquotes (a backquote inside is doubled).
[[nodiscard]] std::string quote_name(std::string_view name);

/// A value as it must stand in a statement: bare where that reads back the same, else quoted.
[[nodiscard]] std::string quote_value(std::string_view text);

}  // namespace pubsubsql::parser
