#pragma once

#include <span>
#include <string_view>

namespace pubsubsql::parser {

/// Every word the grammar gives a meaning to, lower case, sorted. None is reserved: each may name a table or a column.
[[nodiscard]] std::span<const std::string_view> keywords();

}  // namespace pubsubsql::parser
