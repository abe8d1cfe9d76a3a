#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace bench {

/// What a process has used of the machine, by /proc. Everything throws std::runtime_error when there is no such process
/// or it may not be looked at.
struct process_usage {
  std::chrono::nanoseconds cpu{0};  ///< of all its threads since it began, in user and kernel mode
  std::uint64_t resident_bytes = 0;

  [[nodiscard]] static process_usage of(pid_t process);
  /// The same, once the process has had nothing to do for a while and its size stays.
  [[nodiscard]] static process_usage settled(pid_t process);
};

/// The process that listens on this TCP port of this machine; nothing if it is not found, for instance because it is
/// another user's.
[[nodiscard]] std::optional<pid_t> process_listening_on(std::uint16_t port);
/// The same; throws std::runtime_error when it is not found.
[[nodiscard]] pid_t listener_on(std::uint16_t port);

}  // namespace bench
