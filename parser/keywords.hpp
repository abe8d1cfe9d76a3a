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

/// Whether this is the name of a function or an aggregate, in any case: directly before a `(` it is a call, also where
/// another word would be a value.
[[nodiscard]] bool is_function(std::string_view word);

/// Whether it is a function that may be called without parentheses, as `current_timestamp`.
[[nodiscard]] bool is_function_without_parentheses(std::string_view word);

/// Whether it is count, sum, min, max or avg, in any case.
[[nodiscard]] bool is_aggregate(std::string_view word);

/// Whether it is a unit of intervals such as `hour`, in any case.
[[nodiscard]] bool is_interval_unit(std::string_view word);

}  // namespace pubsubsql::parser
