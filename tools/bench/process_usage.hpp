#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <sched.h>
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
  /// Together with its child processes that run now, and theirs.
  [[nodiscard]] static process_usage of_family(pid_t process);
};

/// The process that listens on this TCP port of this machine; nothing if it is not found, for instance because it is
/// another user's.
[[nodiscard]] std::optional<pid_t> process_listening_on(std::uint16_t port);
/// The same; throws std::runtime_error when it is not found.
[[nodiscard]] pid_t listener_on(std::uint16_t port);

/// Keeps a process with all its threads, and what it starts from now on, on one processor. False if that is not
/// permitted.
bool bind_to_processor(pid_t process, unsigned processor);

/// Keeps the calling thread on one processor while this lives.
class processor_binding {
 public:
  /// No processor, or one that is not there: it runs where it did.
  explicit processor_binding(std::optional<unsigned> processor);
  ~processor_binding();
  processor_binding(const processor_binding&) = delete;
  processor_binding& operator=(const processor_binding&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace bench
