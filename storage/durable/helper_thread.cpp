#include "storage/durable/helper_thread.hpp"

#include <utility>

namespace pubsubsql::storage::durable {

helper_thread::~helper_thread() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void helper_thread::start(std::function<void()> call) {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  {
    const std::scoped_lock lock(mutex_);
    call_ = std::move(call);
  }
  changed_.notify_all();
}

void helper_thread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !call_; });
}

void helper_thread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || call_; });
    if (!call_) return;
    lock.unlock();
    call_();
    lock.lock();
    call_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace pubsubsql::storage::durable
