#pragma once

#include <string>
#include <vector>

#include "client/cli/interactive.hpp"

namespace pubsubsql::cli {

/// Exit statuses of the program.
inline constexpr int exit_fine = 0;
inline constexpr int exit_statement_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_connection = 3;

/// What to execute, in this order.
struct script_input {
  std::vector<std::string> statements;  ///< of -e
  std::string file;                     ///< empty: none
  bool standard_input = false;
};

/// Executes scripts without a person. Returns the exit status.
[[nodiscard]] int run_script(const start_options& options, const script_input& input);

}  // namespace pubsubsql::cli
