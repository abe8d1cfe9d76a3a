#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/access/user_rights.hpp"

/// Which rights a statement takes.
namespace pubsubsql::access {

/// Rights on one table: all of those named, or, when none is, any.
struct table_need {
  std::string_view table;
  parser::right_set rights;
};

struct statement_needs {
  std::vector<table_need> tables;  ///< a table may be there more than once
  bool admin = false;
};

/// Working on a queue: its rows are shown, and they go.
inline constexpr parser::right_set leasing_rights = {parser::right::select, parser::right::delete_rows};

/// `out` is overwritten; its views point into the statement.
void needs_of(const parser::statement& s, statement_needs& out);

/// The rights by which a statement finds rows: a row is found when each holds for it. Reading columns of the rows, in
/// `where`, `order by`, what is set or `returning`, takes `select`.
[[nodiscard]] parser::right_set finding_rights(const parser::update_statement& s);
[[nodiscard]] parser::right_set finding_rights(const parser::delete_statement& s);
[[nodiscard]] parser::right_set finding_rights(const parser::pop_statement& s);

/// What is missing for a statement.
struct denial {
  std::string_view table;             ///< empty: it is the right admin
  std::optional<parser::right> what;  ///< nothing: any right on the table
};

/// Nothing: the user may run it. The view points where that of `needs` does.
[[nodiscard]] std::optional<denial> find_denial(const statement_needs& needs, const user_rights& user);

}  // namespace pubsubsql::access
