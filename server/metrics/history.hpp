#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace pubsubsql::server {

/// The last hour of the server, a point every ten seconds. Thread-safe; takes no more than its points.
class history {
 public:
  static constexpr unsigned interval_seconds = 10;
  static constexpr std::size_t points_max = 3'600 / interval_seconds;

  struct point {
    std::int64_t time = 0;  ///< seconds since 1970-01-01 00:00 UTC
    double statements = 0;  ///< a second
    double events = 0;      ///< rows of events sent, a second
    std::uint64_t connections = 0;
    std::uint64_t backlog_bytes = 0;
    std::uint64_t store_lag_rows = 0;
    double store_lag_seconds = 0;
  };

  /// Adds a point; the oldest goes when there are too many.
  void add(const point& p);

  /// All points, the oldest first, as a JSON object: {"interval":10,"columns":[...],"data":[[...],...]}.
  [[nodiscard]] std::string to_json() const;

 private:
  mutable std::mutex mutex_;
  std::vector<point> points_;  // guarded by mutex_; a ring once it is full
  std::size_t oldest_ = 0;     // guarded by mutex_
};

}  // namespace pubsubsql::server
