#include "tools/bench/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace bench {

namespace {

constexpr std::uint64_t greatest = 3'600'000'000'000;
/// Buckets in each power of two.
constexpr unsigned precision_bits = 7;
constexpr std::uint64_t buckets_per_power = 1U << precision_bits;

/// Durations below two powers' worth of buckets have one of their own each; above, 2^n to 2^(n+1) share as many.
std::size_t bucket_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= precision_bits + 1) return value;
  const unsigned shift = width - precision_bits - 1;
  return (static_cast<std::size_t>(shift) << precision_bits) + (value >> shift);
}

/// The greatest duration that is counted there.
std::uint64_t end_of(std::size_t bucket) {
  if (bucket < 2 * buckets_per_power) return bucket;
  const std::size_t shift = (bucket >> precision_bits) - 1;
  const std::uint64_t mantissa = bucket - (shift << precision_bits);
  return ((mantissa + 1) << shift) - 1;
}

}  // namespace

latency_histogram::latency_histogram() : counts_(bucket_of(greatest) + 1) {}

void latency_histogram::record(std::uint64_t nanoseconds, std::uint64_t count) {
  const std::uint64_t value = std::min(nanoseconds, greatest);
  counts_[bucket_of(value)] += count;
  count_ += count;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(count);
}

void latency_histogram::add(const latency_histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void latency_histogram::clear() {
  std::ranges::fill(counts_, 0);
  count_ = max_ = 0;
  sum_ = 0;
}

std::uint64_t latency_histogram::percentile(double part) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= rank) return std::min(end_of(bucket), max_);
  }
  return max_;
}

double latency_histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

}  // namespace bench
