#pragma once

#include <chrono>
#include <cstdint>

namespace pubsubsql::server {

/// Nanoseconds by a clock that never jumps.
[[nodiscard]] inline std::int64_t steady_clock_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace pubsubsql::server
