#include "storage/durable/write_queue.hpp"

#include <iterator>

namespace pubsubsql::storage::durable {

void write_queue::push(std::vector<write>& writes) {
  std::size_t bytes = 0;
  const auto now = std::chrono::steady_clock::now();
  for (write& w : writes) {
    bytes += w.memory_bytes();
    w.queued_at = now;
  }
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  size_.fetch_add(writes.size(), std::memory_order_relaxed);
  {
    const std::scoped_lock lock(mutex_);
    std::ranges::move(writes, std::back_inserter(writes_));
  }
  writes.clear();
  changed_.notify_one();
}

void write_queue::push_front(std::vector<write>& writes) {
  const std::scoped_lock lock(mutex_);
  writes_.insert(writes_.begin(), std::make_move_iterator(writes.begin()), std::make_move_iterator(writes.end()));
  writes.clear();
}

std::vector<write> write_queue::take_awaited() {
  std::vector<write> taken;
  const std::scoped_lock lock(mutex_);
  std::deque<write> rest;
  for (write& w : writes_) {
    if (w.awaited) {
      taken.push_back(std::move(w));
    } else {
      rest.push_back(std::move(w));
    }
  }
  writes_ = std::move(rest);
  return taken;
}

void write_queue::push_job(job j) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(j));
  }
  changed_.notify_one();
}

void write_queue::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

std::chrono::milliseconds write_queue::oldest_age() const {
  const std::scoped_lock lock(mutex_);
  if (writes_.empty()) return std::chrono::milliseconds(0);
  const auto age = std::chrono::steady_clock::now() - writes_.front().queued_at;
  return std::chrono::duration_cast<std::chrono::milliseconds>(age);
}

bool write_queue::closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

void write_queue::wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return wakes(); });
}

std::optional<write_queue::batch> write_queue::pop(std::size_t bytes_max,
                                                   std::optional<std::chrono::milliseconds> wait_at_most) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return wakes(); };
  if (wait_at_most) {
    changed_.wait_for(lock, *wait_at_most, something);
  } else {
    changed_.wait(lock, something);
  }
  if (closed_ && writes_.empty() && jobs_.empty()) return std::nullopt;
  batch taken;
  auto end = writes_.begin();
  for (std::size_t bytes = 0; end != writes_.end() && (end == writes_.begin() || bytes < bytes_max); ++end) {
    bytes += end->memory_bytes();
  }
  taken.writes.assign(std::make_move_iterator(writes_.begin()), std::make_move_iterator(end));
  writes_.erase(writes_.begin(), end);
  if (writes_.empty()) taken.jobs.swap(jobs_);
  return taken;
}

void write_queue::done(std::span<const write> writes) {
  std::size_t bytes = 0;
  for (const write& w : writes) bytes += w.memory_bytes();
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  size_.fetch_sub(writes.size(), std::memory_order_relaxed);
}

}  // namespace pubsubsql::storage::durable
