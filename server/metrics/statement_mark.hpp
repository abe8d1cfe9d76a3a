#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/metrics/verbs.hpp"

namespace pubsubsql::server {

/// What is remembered of a statement that is answered later.
struct statement_mark {
  std::int64_t started_ns = 0;  ///< by a clock that never jumps
  std::uint16_t weight = 0;     ///< how many statements it stands for in the durations; 0: it is not timed
  bool is_statement = false;    ///< else there is nothing to be counted
  verb kind = 0;
  std::unique_ptr<const std::string> text = {};  ///< for the log of slow statements; nullptr: not wanted there
};

}  // namespace pubsubsql::server
