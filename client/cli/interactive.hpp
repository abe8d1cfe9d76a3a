#pragma once

#include <cstdint>
#include <string>

#include <pubsubsql/options.hpp>

#include "client/cli/format.hpp"

namespace pubsubsql::cli {

/// What both ways of using the CLI are told on the command line.
struct start_options {
  std::string host;
  std::uint16_t port = 0;
  output_format format = output_format::table;
  std::string user;  ///< empty: nobody
  std::string password;
  bool force = false;  ///< scripts go on after a failed statement
  tls_options tls;     ///< of every connection
};

/// Talks with a person at the terminal until they leave. Returns the exit status.
[[nodiscard]] int run_interactive(const start_options& options);

}  // namespace pubsubsql::cli
