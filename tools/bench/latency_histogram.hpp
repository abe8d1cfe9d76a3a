#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// How often which duration was measured, with a relative error of at most 1/128 whatever the size: buckets that are
/// linear within each power of two, as Gil Tene's HDR Histogram has them. Recording costs a few instructions and no
/// memory. Used by one thread; histograms of several are added.
class latency_histogram {
 public:
  latency_histogram();

  /// `count` measurements of so many nanoseconds. More than an hour counts as an hour.
  void record(std::uint64_t nanoseconds, std::uint64_t count = 1);
  void add(const latency_histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The duration that this part of all measurements does not exceed, in nanoseconds: 0.5 is the median, 1 the
  /// greatest. 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t percentile(double part) const;
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace bench
