#pragma once

#include <ostream>

#include "client/cli/command.hpp"
#include "client/cli/session.hpp"

namespace pubsubsql::cli {

/// Inserts the rows of a CSV file, many statements under way at a time. Says on `out` exactly how many were inserted,
/// and on `err` each refused row with its line. False when not all rows went in.
[[nodiscard]] bool import_csv(session& net, const import_command& c, std::ostream& out, std::ostream& err);

/// Writes what a statement returns into a CSV file, which appears only when it is complete.
[[nodiscard]] bool export_csv(session& net, const export_command& c, std::ostream& out, std::ostream& err);

}  // namespace pubsubsql::cli
