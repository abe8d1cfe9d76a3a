#pragma once

#include <cstdint>

namespace pubsubsql::server {

/// What the process has of the system. What cannot be found out is 0.
struct process_usage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
  double cpu_seconds = 0;         ///< of all threads, in the kernel and outside
  double started_at_seconds = 0;  ///< since 1970-01-01 00:00 UTC
};

/// Asks the system. Takes some microseconds, and on kernels before 6.2 time in proportion to the open files.
[[nodiscard]] process_usage read_process_usage();

/// The processor time that the calling thread has taken so far.
[[nodiscard]] double thread_cpu_seconds();

}  // namespace pubsubsql::server
