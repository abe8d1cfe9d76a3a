#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace pubsubsql::storage::durable {

/// A thread that runs one call at a time for another thread, which goes on meanwhile. All methods are for that one
/// thread. What the call throws ends the process.
class helper_thread {
 public:
  helper_thread() = default;
  /// Waits for the call under way.
  ~helper_thread();
  helper_thread(const helper_thread&) = delete;
  helper_thread& operator=(const helper_thread&) = delete;

  /// REQUIRES: nothing is under way.
  void start(std::function<void()> call);
  /// Waits until nothing is under way.
  void wait();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> call_;  // guarded by mutex_; empty: nothing is under way
  bool closed_ = false;         // guarded by mutex_
  std::thread thread_;          // begins with the first call
};

}  // namespace pubsubsql::storage::durable
