#pragma once

#include <ostream>

#include "client/cli/command.hpp"
#include "client/cli/session.hpp"

namespace pubsubsql::cli {

/// Where a transfer tells about itself.
struct output {
  std::ostream& out;    ///< what was done
  std::ostream& err;    ///< what went wrong, and progress
  bool timing = false;  ///< tell on `out` how long it took
};

/// Inserts the rows of a CSV file, many statements under way at a time. Says on `out` exactly how many were inserted,
/// and on `err` each refused row with its line. False when not all rows went in.
[[nodiscard]] bool import_csv(session& net, const import_command& c, const output& to);

/// Writes what a statement returns into a CSV file, which appears only when it is complete.
[[nodiscard]] bool export_csv(session& net, const export_command& c, const output& to);

}  // namespace pubsubsql::cli
