#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// How far the slowest of many subscribers to the same events is, kept up at constant cost however many there are.
class slowest_subscriber {
 public:
  /// REQUIRES: no subscriber is ever more than `lead_max` events ahead of the slowest.
  slowest_subscriber(std::size_t subscribers, std::size_t lead_max) : at_(lead_max + 1) { at_[0] = subscribers; }

  /// One of them had `before` events, and has `after` now.
  void advance(std::uint64_t before, std::uint64_t after) {
    --at_[before % at_.size()];
    ++at_[after % at_.size()];
    while (at_[slowest_ % at_.size()] == 0) ++slowest_;
  }

  [[nodiscard]] std::uint64_t events() const { return slowest_; }

 private:
  std::vector<std::size_t> at_;  // how many subscribers have so many events, modulo the size
  std::uint64_t slowest_ = 0;
};

}  // namespace bench
