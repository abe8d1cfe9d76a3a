#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pubsubsql::server {

/// What several peers wait for, taken in turns: who has much waiting waits for it, and nobody else does.
template <typename Job>
class fair_queue {
 public:
  /// More is not taken: of one peer, of all together.
  fair_queue(std::size_t per_peer_max, std::size_t total_max) : per_peer_max_(per_peer_max), total_max_(total_max) {}

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

  /// False: too much waits.
  [[nodiscard]] bool push(std::string_view peer, Job job) {
    auto known = waiting_.find(peer);
    if (count_ >= total_max_ || (known != waiting_.end() && known->second.size() >= per_peer_max_)) return false;
    if (known == waiting_.end()) {
      known = waiting_.try_emplace(std::string(peer)).first;
      turns_.push_back(known);
    }
    known->second.push_back(std::move(job));
    ++count_;
    return true;
  }

  /// The next one; nothing: there is none. What one peer pushed comes in that order.
  [[nodiscard]] std::optional<Job> take() {
    if (turns_.empty()) return std::nullopt;
    const auto peer = turns_.front();
    turns_.pop_front();
    std::optional<Job> job(std::move(peer->second.front()));
    peer->second.pop_front();
    --count_;
    if (peer->second.empty()) {
      waiting_.erase(peer);
    } else {
      turns_.push_back(peer);
    }
    return job;
  }

  void clear() {
    turns_.clear();
    waiting_.clear();
    count_ = 0;
  }

 private:
  using peers = std::map<std::string, std::deque<Job>, std::less<>>;

  std::size_t per_peer_max_;
  std::size_t total_max_;
  std::size_t count_ = 0;
  peers waiting_;                               // none of them empty
  std::deque<typename peers::iterator> turns_;  // each of them once
};

}  // namespace pubsubsql::server
