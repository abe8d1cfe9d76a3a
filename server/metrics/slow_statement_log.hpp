#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::server {

/// Decides how many lines may be written: a number of them at once, and from then on one in each interval. So a flood
/// of what they are about cannot fill a disk. Sans-io; used by one thread at a time.
class line_limiter {
 public:
  using clock = std::chrono::steady_clock;

  line_limiter(unsigned burst, clock::duration interval) : burst_(burst), interval_(interval), left_(burst) {}

  /// Whether a line may be written at this time. Returns how many lines were left out since the last one that was.
  [[nodiscard]] std::optional<std::uint64_t> admit(clock::time_point now);

 private:
  unsigned burst_;
  clock::duration interval_;
  unsigned left_;
  clock::time_point refilled_{};
  std::uint64_t left_out_ = 0;
};

/// Writes a warning for each slow statement, of all workers together no more than a line a second in the long run.
/// Thread-safe.
class slow_statement_log {
 public:
  struct entry {
    std::int64_t duration_ns = 0;
    std::string_view address;  ///< of the client
    std::string_view user;     ///< empty: there are no users, or it is not authenticated
    std::string_view text;     ///< as it may be shown
    std::uint64_t rows = 0;    ///< of the reply
    bool is_error = false;
  };
  void write(const entry& e);

 private:
  static constexpr unsigned burst = 100;

  std::mutex mutex_;
  line_limiter limiter_{burst, std::chrono::seconds(1)};  // guarded by mutex_
};

}  // namespace pubsubsql::server
