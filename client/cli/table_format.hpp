#pragma once

#include <cstddef>
#include <ostream>

#include <pubsubsql/rows.hpp>

namespace pubsubsql::cli {

/// Writes rows as a framed table; columns of numbers are aligned right. With a width, the widest columns give way until
/// the table fits, and a line says so. REQUIRES: there is at least one column.
void write_table(std::ostream& out, const rows& data, std::size_t width);

}  // namespace pubsubsql::cli
