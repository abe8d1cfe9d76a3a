#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pubsubsql::server {

/// How often something took how long. Used by one thread.
class duration_histogram {
 public:
  /// The upper bounds of the buckets, in nanoseconds: three for each power of ten, from a microsecond to ten seconds.
  /// What took longer is in one more bucket.
  static constexpr std::array<std::int64_t, 22> bounds_ns = {
      1'000,       2'500,       5'000,         10'000,        25'000,        50'000,        100'000,    250'000,
      500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,    25'000'000,    50'000'000, 100'000'000,
      250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

  /// Something took so long, and stands for `weight` of its kind. Less than nothing counts as nothing.
  void add(std::int64_t duration_ns, std::uint64_t weight = 1);

  duration_histogram& operator+=(const duration_histogram& other);

  /// By bucket, not summed up; the last one is that of what took longer than all bounds.
  [[nodiscard]] const std::array<std::uint64_t, bounds_ns.size() + 1>& counts() const { return counts_; }
  [[nodiscard]] double sum_seconds() const { return static_cast<double>(sum_ns_) / 1e9; }

 private:
  std::array<std::uint64_t, bounds_ns.size() + 1> counts_{};
  std::uint64_t sum_ns_ = 0;
};

}  // namespace pubsubsql::server
