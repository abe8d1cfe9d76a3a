#pragma once

#include <span>
#include <string_view>

namespace pubsubsql::parser {

/// Every word the grammar gives a meaning to, lower case, sorted. None is reserved: each may name a table or a column.
[[nodiscard]] std::span<const std::string_view> keywords();

/// Whether `word` is one of them, in any case.
[[nodiscard]] bool is_keyword(std::string_view word);

/// Whether `word` is this keyword in any case. REQUIRES: `keyword` is lower case ASCII.
[[nodiscard]] bool equals_keyword(std::string_view word, std::string_view keyword);

}  // namespace pubsubsql::parser
