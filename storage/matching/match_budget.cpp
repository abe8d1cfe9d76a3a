#include "storage/matching/match_budget.hpp"

#include <algorithm>

namespace pubsubsql::storage::matching {

/// Many small ones come to much: from now on less of each is free.
void match_budget::become_scarce() {
  all_left_ = UINT64_MAX;
  small_steps_ = scarce_steps_;
  steps_max_ = std::min(steps_max_, std::max(limit_, small_steps_ + 1));
}

void match_budget::count(subscription_group& g, std::uint64_t steps) {
  counted_.push_back({.group = &g, .steps = steps});
  counted_steps_ += steps;
  if (left_.steps_left == 0) end(counted_.back());  // there was no more for it
  if (counted_steps_ > limit_) lower();
}

void match_budget::lower() {
  const std::uint64_t most = std::ranges::max(counted_, {}, &counted::steps).steps;
  steps_max_ = std::min(steps_max_, std::max(most / 2, small_steps_ + 1));
  const auto ended = std::ranges::partition(counted_, [&](const counted& c) { return c.steps < steps_max_; });
  for (const counted& c : ended) end(c);
  counted_.erase(ended.begin(), ended.end());
  counted_steps_ = 0;
}

void match_budget::end(const counted& c) {
  if (c.group->is_over) return;
  c.group->is_over = true;
  for (const event_target& target : c.group->targets) over_.push_back({.target = target, .steps = c.steps});
}

}  // namespace pubsubsql::storage::matching
