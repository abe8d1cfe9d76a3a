#include "server/metrics/slow_statement_log.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace pubsubsql::server {

std::optional<std::uint64_t> line_limiter::admit(clock::time_point now) {
  if (left_ == burst_) refilled_ = now;
  const auto earned = (now - refilled_) / interval_;
  left_ = static_cast<unsigned>(std::min<std::int64_t>(left_ + earned, burst_));
  refilled_ += earned * interval_;
  if (left_ == 0) {
    ++left_out_;
    return std::nullopt;
  }
  --left_;
  return std::exchange(left_out_, 0);
}

void slow_statement_log::write(const entry& e) {
  const std::scoped_lock lock(mutex_);
  const auto left_out = limiter_.admit(line_limiter::clock::now());
  if (!left_out) return;
  if (*left_out > 0) spdlog::warn("{} slow statements were not logged: there were too many", *left_out);
  spdlog::warn("slow statement: {:.3f} ms, {}, {}{}{}: {}", static_cast<double>(e.duration_ns) / 1e6,
               e.is_error ? "failed" : std::to_string(e.rows) + " rows", e.address, e.user.empty() ? "" : ", user ",
               e.user, e.text);
}

}  // namespace pubsubsql::server
