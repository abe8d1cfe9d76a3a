#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace pubsubsql::storage::durable {

/// A thread that runs calls in their order for another thread, which goes on meanwhile. All methods are for that one
/// thread. What a call throws ends the process.
class helper_thread {
 public:
  helper_thread() = default;
  /// Waits for the calls under way.
  ~helper_thread();
  helper_thread(const helper_thread&) = delete;
  helper_thread& operator=(const helper_thread&) = delete;

  void start(std::function<void()> call);
  /// Waits until at most so many calls are not finished.
  void wait(std::size_t unfinished = 0);
  [[nodiscard]] std::size_t unfinished() const;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;  // guarded by mutex_; the first one is being run
  bool closed_ = false;                      // guarded by mutex_
  std::thread thread_;                       // begins with the first call
};

}  // namespace pubsubsql::storage::durable
