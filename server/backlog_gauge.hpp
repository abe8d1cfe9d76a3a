#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pubsubsql::server {

/// What events that wait may take: of one connection, and of all together.
struct backlog_bounds {
  std::size_t connection_max = 0;
  std::size_t total_max = 0;  ///< 0: no bound
};

/// How many bytes of events wait for the connections of one worker, and, as of its last turn, for those of all. From
/// half of what all together may have, connections get less room each, down to next to nothing when it is reached.
/// Sans-io; used by its worker's thread only, but for `all`, which the workers share.
class backlog_gauge {
 public:
  /// `all` outlives the gauge.
  backlog_gauge(const backlog_bounds& bounds, std::atomic<std::int64_t>& all);

  /// A connection has so many bytes waiting now, and had so many before.
  void change(std::size_t before, std::size_t now) {
    own_ += static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before);
  }

  /// Tells the others, at the end of a turn. Returns how many bytes this worker's connections have to be rid of: its
  /// part of what all have too many, and some more, so that it is not due again at once.
  std::size_t publish();

  /// Whether all have too many, as of the last publish().
  [[nodiscard]] bool is_over() const { return bounds_.total_max > 0 && total_ > bounds_.total_max; }

  /// Whether they have twice as much as they may.
  [[nodiscard]] bool is_far_over() const { return bounds_.total_max > 0 && total_ / 2 > bounds_.total_max; }

  /// Beyond this a connection's events with `drop` are left out.
  [[nodiscard]] std::size_t drop_at() const { return drop_at_; }
  /// Beyond this a connection's events with `conflate` are folded.
  [[nodiscard]] std::size_t fold_at() const { return fold_at_; }

 private:
  void set_room();

  backlog_bounds bounds_;
  std::atomic<std::int64_t>& all_;
  std::int64_t own_ = 0;
  std::int64_t published_ = 0;
  std::size_t total_ = 0;
  std::size_t drop_at_ = 0;
  std::size_t fold_at_ = 0;
};

}  // namespace pubsubsql::server
