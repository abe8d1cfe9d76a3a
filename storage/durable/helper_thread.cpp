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
    calls_.push_back(std::move(call));
  }
  changed_.notify_all();
}

void helper_thread::wait(std::size_t unfinished) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return calls_.size() <= unfinished; });
}

std::size_t helper_thread::unfinished() const {
  const std::scoped_lock lock(mutex_);
  return calls_.size();
}

void helper_thread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !calls_.empty(); });
    if (calls_.empty()) return;
    const std::function<void()>& call = calls_.front();  // stays where it is when others come behind it
    lock.unlock();
    call();
    lock.lock();
    calls_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace pubsubsql::storage::durable
