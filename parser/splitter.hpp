#pragma once

#include <cstddef>
#include <string_view>

namespace pubsubsql::parser {

/// The size of the first statement of a script, its `;` included, or npos when no `;` ends it yet. Quotes, backquotes
/// and comments hide a `;`. For scripts and interactive input, where `;` separates statements; a bare value that
/// contains `;` has to be quoted there.
[[nodiscard]] std::size_t statement_end(std::string_view script);

}  // namespace pubsubsql::parser
