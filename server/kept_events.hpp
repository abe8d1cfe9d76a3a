#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "server/event_quota.hpp"
#include "server/reply_encoder.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::server {

/// An event that is ready to be sent, and to whom.
struct ready_event {
  encoded_event event;
  std::vector<storage::event_target> targets;
};

/// The events of a statement while they wait for a commit.
class kept_events {
 public:
  /// Adds an event behind the others, for those of its targets that `quota`, which is the statement's, lets have it.
  void add(ready_event e, event_quota& quota) {
    const std::size_t bytes = memory_bytes(e.event);
    quota.admit(bytes_, bytes, e.event, e.targets, lost_);
    if (e.targets.empty()) return;
    bytes_ += bytes + e.targets.size() * sizeof(storage::event_target);
    events_.push_back(std::move(e));
  }

  /// Takes out the subscriptions of which `is_gone(event_target)`.
  template <typename Predicate>
  void forget(Predicate&& is_gone) {
    for (ready_event& e : events_) std::erase_if(e.targets, is_gone);
    std::erase_if(events_, [](const ready_event& e) { return e.targets.empty(); });
    absl::erase_if(lost_, [&](const auto& l) { return is_gone(l.second.target); });
  }

  /// In order.
  [[nodiscard]] const std::vector<ready_event>& events() const { return events_; }
  /// Who has lost events behind those.
  [[nodiscard]] const lost_event_map& lost() const { return lost_; }
  [[nodiscard]] bool empty() const { return events_.empty() && lost_.empty(); }
  /// Memory, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_ + lost_.size() * sizeof(lost_event_map::value_type); }

 private:
  std::vector<ready_event> events_;
  lost_event_map lost_;
  std::size_t bytes_ = 0;
};

}  // namespace pubsubsql::server
