#pragma once

#include <cstdint>
#include <vector>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

/// Where a select that is inside another one comes: before it, as they have to be run, or after it, as they are read.
enum class subquery_order : std::uint8_t { inner_first, outer_first };

/// Appends the selects inside a statement, otherwise in the order in which they are written; the query of
/// `insert ... select` is one of them, the last of those that are not inside others.
void subqueries_of(const statement_body& body, std::vector<const select_statement*>& out,
                   subquery_order order = subquery_order::inner_first);

}  // namespace pubsubsql::parser
