#pragma once

#include <string>
#include <string_view>

/// Statements together with the values of their `?` as one text: `execute immediate 'SQL' using 'x', 5, null`. It goes
/// wherever a statement goes, to another worker or into a transaction, and the values are data all the way.
namespace pubsubsql::parser {

/// Appends the text in quotes, those inside doubled.
void append_quoted(std::string& out, std::string_view text);

/// Appends the statement `sql` with its values, which are as they stand behind `using`; empty: it has none.
void append_bound(std::string& out, std::string_view sql, std::string_view values);

}  // namespace pubsubsql::parser
