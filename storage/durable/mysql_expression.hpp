#pragma once

#include <string>
#include <string_view>

namespace pubsubsql::storage::durable {

/// The text of an expression in the words that MySQL understands, whatever its sql_mode: intervals that name their
/// units, `||`, texts with backslashes. What is no expression of ours stays as it is.
[[nodiscard]] std::string to_mysql_expression(std::string_view text);

/// Whether the text is a call such as now(3), which MySQL takes as the default of a time without brackets.
[[nodiscard]] bool is_current_time(std::string_view text);

}  // namespace pubsubsql::storage::durable
