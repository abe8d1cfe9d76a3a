#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "storage/durable/store.hpp"

namespace pubsubsql::storage::durable {

/// What waits for the thread of a store: writes in order, and jobs that others want it to do. Thread-safe.
class write_queue {
 public:
  using job = std::function<void()>;

  /// Appends the writes; leaves the vector empty.
  void push(std::vector<write>& writes);
  /// Puts writes back before all others, in their order.
  void push_front(std::vector<write>& writes);
  /// A job is done before writes that are taken later.
  void push_job(job j);
  /// Takes out the writes that somebody waits for.
  [[nodiscard]] std::vector<write> take_awaited();
  /// No more comes; pop() no longer waits.
  void close();

  /// Returns when there is something, or closed, or the time is up.
  void wait(std::chrono::milliseconds at_most);

  struct batch {
    std::vector<write> writes;
    std::vector<job> jobs;
  };
  /// Waits until there is something, or closed, or the time is up; then takes writes up to some bytes, at least
  /// one, and, with the last of them, all jobs. Nothing when closed and empty.
  std::optional<batch> pop(std::size_t bytes_max, std::optional<std::chrono::milliseconds> wait_at_most = std::nullopt);

  /// Bytes of writes that were pushed and not yet reported done.
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// Writes that were pushed and not yet reported done.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  /// The writes of a batch have been dealt with.
  void done(std::span<const write> writes);
  [[nodiscard]] bool closed() const;
  /// How long the first write has been waiting; 0: none waits.
  [[nodiscard]] std::chrono::milliseconds oldest_age() const;

 private:
  /// REQUIRES: the mutex is held.
  [[nodiscard]] bool wakes() const { return closed_ || !writes_.empty() || !jobs_.empty(); }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<write> writes_;
  std::vector<job> jobs_;
  bool closed_ = false;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace pubsubsql::storage::durable
