#include "server/backlog_gauge.hpp"

#include <algorithm>

namespace pubsubsql::server {

namespace {

/// Enough to keep a connection busy until the rest is folded; what is folded is up to date, what waits is not.
constexpr std::size_t fold_at_most = 64U << 10;
/// What a connection may have waiting whatever there is: an event or a few.
constexpr std::size_t room_min = 4U << 10;

}  // namespace

backlog_gauge::backlog_gauge(const backlog_bounds& bounds, std::atomic<std::int64_t>& all)
    : bounds_(bounds), all_(all) {
  set_room();
}

std::size_t backlog_gauge::publish() {
  const std::int64_t change = own_ - published_;
  published_ = own_;
  const std::int64_t all =
      change == 0 ? all_.load(std::memory_order_relaxed) : all_.fetch_add(change, std::memory_order_relaxed) + change;
  const auto total = static_cast<std::size_t>(std::max<std::int64_t>(all, 0));
  if (total != total_) {
    total_ = total;
    set_room();
  }
  if (!is_over()) return 0;
  const double kept = static_cast<double>(bounds_.total_max) * 7 / 8 / static_cast<double>(total_);
  return static_cast<std::size_t>(static_cast<double>(own_) * (1 - kept));
}

void backlog_gauge::set_room() {
  const std::size_t half = bounds_.total_max / 2;
  double part = 1;
  if (half > 0 && total_ > half) {
    const std::size_t left = bounds_.total_max - std::min(total_, bounds_.total_max);
    part = static_cast<double>(left) / static_cast<double>(half);
    part *= part * part;  // thousands of connections that have little each are to stop before it is too much
  }
  const auto part_of = [part](std::size_t room) {
    return std::min(room, std::max(room_min, static_cast<std::size_t>(static_cast<double>(room) * part)));
  };
  drop_at_ = part_of(bounds_.connection_max);
  fold_at_ = std::min(part_of(fold_at_most), drop_at_);
}

}  // namespace pubsubsql::server
