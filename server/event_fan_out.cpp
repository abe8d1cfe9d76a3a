#include "server/event_fan_out.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "server/message_writer.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

namespace {

/// Events for fewer subscribers are handed out at once: there is little to save.
constexpr std::size_t collected_targets_min = 4;
/// What is collected is handed out when it is this large, so that a subscriber's limit is looked at in time.
constexpr std::size_t collected_bytes_max = 64U << 10;
/// Rows of this size and more are not copied for each subscriber.
constexpr std::size_t shared_bytes_min = 2U << 10;

/// An event on its way to other workers: counted until the last of them has seen to it.
struct event_under_way {
  event_under_way(encoded_event e, std::size_t size, std::shared_ptr<std::atomic<std::size_t>> count)
      : event(std::move(e)), bytes(size), counter(std::move(count)) {
    counter->fetch_add(bytes, std::memory_order_relaxed);
  }
  event_under_way(const event_under_way&) = delete;
  event_under_way& operator=(const event_under_way&) = delete;
  ~event_under_way() { counter->fetch_sub(bytes, std::memory_order_relaxed); }

  encoded_event event;
  std::size_t bytes;
  std::shared_ptr<std::atomic<std::size_t>> counter;
};

}  // namespace

event_fan_out::event_fan_out(worker& w)
    : worker_(w),
      remote_targets_(w.shared().workers.size()),
      quota_(w.shared().quota_of_worker()),
      lost_(w.shared().workers.size()),
      seen_(w.shared().workers.size()) {}

bool event_fan_out::continues(const storage::table& about, const storage::event& e) const {
  return collecting_ && e.targets.data() == targets_.data() && e.targets.size() == targets_.size() &&
         e.action == action_ && about.schema_version() == schema_version_ && e.titles.data() == titles_.data() &&
         e.titles.size() == titles_.size() && std::ranges::equal(e.columns, columns_);
}

void event_fan_out::publish(const storage::table& about, const storage::event& e) {
  count(e.action, 1);
  if (e.targets.size() < collected_targets_min) {
    encode_event(single_, about, e, column_lists_);
    return deliver(single_, e.targets);
  }
  if (continues(about, e)) {
    append_event_row(event_, e);
  } else {
    begin(about, e);
  }
  if (repeats_ || event_.count == rows_per_message || event_.rows.size() >= collected_bytes_max) deliver_collected();
}

void event_fan_out::begin(const storage::table& about, const storage::event& e) {
  deliver_collected();
  encode_event(event_, about, e, column_lists_);
  sort_out(e.targets);
  collecting_ = true;
  targets_ = e.targets;
  action_ = e.action;
  schema_version_ = about.schema_version();
  titles_ = e.titles;
  columns_.assign(e.columns.begin(), e.columns.end());
  worker_.end_turn_later();
}

void event_fan_out::sort_out(std::span<const storage::event_target> targets) {
  repeats_ = false;
  ++list_;
  for (const storage::event_target& target : targets) {
    const subscriber s = subscriber::of(target.subscriber);
    if (s.worker != worker_.index()) {
      auto& seen = seen_[s.worker];
      if (seen.size() <= s.place) seen.resize(s.place + 1);
      if (std::exchange(seen[s.place], list_) == list_) repeats_ = true;
      remote_targets_[s.worker].push_back(target);
    } else if (session* to = worker_.find(target.subscriber)) {
      if (std::exchange(to->events_are_due, true)) repeats_ = true;
      local_targets_.push_back({.to = to, .pubsubid = target.pubsubid});
    }
  }
}

void event_fan_out::publish(const kept_events& events) {
  for (const ready_event& e : events.events()) {
    count(e.event.action, e.event.count);
    deliver(e.event, e.targets);
  }
  if (events.lost().empty()) return;
  deliver_collected();
  for (const auto& [pubsubid, lost] : events.lost()) {
    const subscriber s = subscriber::of(lost.target.subscriber);
    if (s.worker != worker_.index()) {
      lost_[s.worker][pubsubid] += lost;
      has_lost_ = true;
    } else if (session* to = worker_.find(lost.target.subscriber)) {
      to->miss(lost);
    }
  }
}

void event_fan_out::count(storage::event_action action, std::size_t rows) {
  static_assert(static_cast<std::size_t>(storage::event_action::publish) + 1 == event_actions);
  worker_.counters().events[static_cast<std::size_t>(action)] += rows;
}

void event_fan_out::deliver(const encoded_event& e, std::span<const storage::event_target> targets) {
  bool remote = false;
  for (const storage::event_target& target : targets) {
    const unsigned home = subscriber::of(target.subscriber).worker;
    if (home == worker_.index()) {
      if (session* to = worker_.find(target.subscriber)) to->deliver(e, target.pubsubid);
    } else {
      deliver_collected();
      remote_targets_[home].push_back(target);
      remote = true;
    }
  }
  if (remote) send_to_workers(e);
}

void event_fan_out::hand_out() {
  deliver_collected();
  if (!std::exchange(has_lost_, false)) return;
  for (unsigned home = 0; home < lost_.size(); ++home) tell_lost(home);
}

void event_fan_out::deliver_collected() {
  if (!std::exchange(collecting_, false)) return;
  if (event_.rows.size() >= shared_bytes_min) event_.shared = std::make_shared<const std::string>(event_.rows);
  for (const local_target& t : local_targets_) {
    t.to->events_are_due = false;
    t.to->deliver(event_, t.pubsubid);
  }
  local_targets_.clear();
  send_to_workers(event_);
  event_.shared.reset();
}

void event_fan_out::send_to_workers(const encoded_event& e) {
  const std::size_t kept = bytes_under_way_->load(std::memory_order_relaxed);
  std::size_t bytes = memory_bytes(e);
  std::size_t targets = 0;
  for (unsigned home = 0; home < remote_targets_.size(); ++home) {
    auto& there = remote_targets_[home];
    if (there.empty()) continue;
    quota_.admit(kept, bytes, e, there, lost_[home]);
    targets += there.size();
    if (!lost_[home].empty()) has_lost_ = true;
  }
  if (has_lost_) worker_.end_turn_later();
  if (targets == 0) return;
  bytes += targets * sizeof(storage::event_target);
  auto counted = std::make_shared<const event_under_way>(e, bytes, bytes_under_way_);
  const std::shared_ptr<const encoded_event> copy(counted, &counted->event);
  for (unsigned home = 0; home < remote_targets_.size(); ++home) {
    auto& there = remote_targets_[home];
    if (there.empty()) continue;
    tell_lost(home);  // before what comes behind it
    worker_.send(home, deliver_event{.event = copy, .targets = there}, std::exchange(bytes, 0));
    there.clear();
  }
}

void event_fan_out::tell_lost(unsigned worker) {
  if (lost_[worker].empty()) return;
  events_left_out message;
  for (const auto& [pubsubid, lost] : std::exchange(lost_[worker], {})) message.lost.push_back(lost);
  worker_.send(worker, std::move(message));
}

}  // namespace pubsubsql::server
