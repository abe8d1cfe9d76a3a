#pragma once

#include <vector>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

/// Appends the selects inside a statement: those inside a select before it, otherwise in the order in which they are
/// written; the query of `insert ... select` is one of them, the last.
void subqueries_of(const statement_body& body, std::vector<const select_statement*>& out);

}  // namespace pubsubsql::parser
