#pragma once

#include <atomic>
#include <cstdint>

namespace pubsubsql::server {

/// The memory of the process that is in the machine's memory now. 0: it cannot be found out.
[[nodiscard]] std::uint64_t resident_bytes();
/// The most that it was. 0: it cannot be found out.
[[nodiscard]] std::uint64_t resident_bytes_peak();

/// The memory that the process may have: the machine's, or less where its control group allows less.
[[nodiscard]] std::uint64_t memory_for_process();

/// Whether the process takes more memory than it may. Looked at again and again by one thread, asked by all.
class memory_watch {
 public:
  /// `limit`: in bytes; 0: none.
  explicit memory_watch(std::uint64_t limit) : limit_(limit) {}

  [[nodiscard]] bool has_limit() const { return limit_ > 0; }
  /// Compares `used` bytes with the limit. What was beyond it counts as such until a twentieth of it is free. Logs when
  /// that begins and when it ends. To be called by one thread.
  void look(std::uint64_t used);
  /// 0: all is well; else the limit, which is exceeded.
  [[nodiscard]] std::uint64_t exceeded() const { return exceeded_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> exceeded_{0};
};

}  // namespace pubsubsql::server
