#pragma once

#include <string>

#include "parser/ast.hpp"

namespace pubsubsql::parser {

/// Appends an expression as it must stand where its first word is read as a column.
void print_expression(std::string& out, const expression& e);

/// Appends an expression as it must stand where a value may: for `set c =`, rows of values and `default`.
void print_computed(std::string& out, const expression& e);

/// Appends what stands behind `select`, without leading white space.
void print_query(std::string& out, const select_statement& s);

}  // namespace pubsubsql::parser
