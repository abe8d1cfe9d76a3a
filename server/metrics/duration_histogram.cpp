#include "server/metrics/duration_histogram.hpp"

#include <algorithm>

namespace pubsubsql::server {

void duration_histogram::add(std::int64_t duration_ns, std::uint64_t weight) {
  duration_ns = std::max<std::int64_t>(duration_ns, 0);
  const auto bucket = std::ranges::lower_bound(bounds_ns, duration_ns) - bounds_ns.begin();
  counts_[static_cast<std::size_t>(bucket)] += weight;
  sum_ns_ += static_cast<std::uint64_t>(duration_ns) * weight;
}

duration_histogram& duration_histogram::operator+=(const duration_histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  sum_ns_ += other.sum_ns_;
  return *this;
}

}  // namespace pubsubsql::server
