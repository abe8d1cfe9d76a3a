#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "parser/result.hpp"

namespace pubsubsql::parser {

/// Why a text is no statement: what was expected, what was found there, and at which byte of the text (from 0; the
/// text's size when it ended too early).
struct syntax_error {
  std::string expected;
  std::string found;
  std::size_t offset = 0;
  /// Whether the offset is that in the statement which `execute` executes or `prepare` prepares.
  bool is_inner = false;
  /// The flag of the limit that the text is beyond, without `--`; empty: it is no matter of one.
  std::string_view limit = {};
};

/// The error as one sentence, for replies and logs: "expected a table name, found end of statement at offset 14".
[[nodiscard]] std::string message(const syntax_error& error);

/// The line of `sql` that holds `offset`, and under it a caret at that character. Two lines, no trailing newline; tabs
/// are kept and characters counted as UTF-8 code points so that the caret stands right in a terminal.
[[nodiscard]] std::string caret(std::string_view sql, std::size_t offset);

/// Reads one statement; a `;` after it is optional. The text must be valid UTF-8 (checked).
///
/// The tree points into `sql` and `arena`. An empty text (or nothing but white space, comments and `;`) is an error
/// whose `found` is "end of statement" and whose offset is the text's size; is_blank() tells beforehand.
/// Never throws but std::bad_alloc; recursion is bounded by the grammar and expression_depth_max.
[[nodiscard]] result<statement, syntax_error> parse(std::string_view sql, statement_arena& arena);

/// Whether the text holds nothing but white space, comments and `;`.
[[nodiscard]] bool is_blank(std::string_view sql);

/// The statement's table, or an empty view for statements that have none (status, show tables, begin, mysql ...).
[[nodiscard]] std::string_view table_of(const statement& s);

/// Appends every table that the statement names, without repeats; its own first, then those of its subqueries.
void tables_of(const statement& s, std::vector<std::string_view>& out);

/// Whether the statement changes no row, no table and no subscription.
[[nodiscard]] bool is_read_only(const statement_body& body);

}  // namespace pubsubsql::parser
