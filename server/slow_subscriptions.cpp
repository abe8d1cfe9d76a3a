#include "server/slow_subscriptions.hpp"

#include <algorithm>
#include <utility>

namespace pubsubsql::server {

slow_subscriptions::subscription* slow_subscriptions::find(std::uint64_t pubsubid) {
  const auto it = all_.find(pubsubid);
  return it == all_.end() ? nullptr : &it->second;
}

void slow_subscriptions::forget(std::uint64_t pubsubid) {
  const auto it = all_.find(pubsubid);
  if (it == all_.end()) return;
  if (it->second.policy == parser::slow_policy::conflate && !conflater_.empty()) conflater_.forget(pubsubid);
  if (it->second.lost > 0) std::erase(dropping_, pubsubid);
  all_.erase(it);
}

void slow_subscriptions::fold(subscription& s, std::uint64_t pubsubid, const encoded_event& e) {
  if (!conflater_.holds(pubsubid)) s.reached = e.first_sequence - std::min<std::uint64_t>(e.first_sequence, 1);
  s.latest = e.sequence;
  const std::size_t superfluous = conflater_.fold(pubsubid, e);
  s.conflated += superfluous;
  counts_.conflated += superfluous;
}

bool slow_subscriptions::refill(connection_output& out, parser::wire_mode mode, std::size_t unsent_bytes_max) {
  if (conflater_.empty()) return false;
  do {
    const std::uint64_t pubsubid = conflater_.take_first(taken_);
    const subscription& s = all_.find(pubsubid)->second;
    const std::uint64_t position = conflater_.holds(pubsubid) ? s.reached : s.latest;
    out.append_event(mode, taken_, pubsubid, s.tells_positions ? position : 0);
  } while (!conflater_.empty() && out.unsent_bytes() < unsent_bytes_max);
  return true;
}

void slow_subscriptions::leave_out(subscription& s, std::uint64_t pubsubid, std::size_t events,
                                   std::uint64_t position) {
  if (s.lost == 0) dropping_.push_back(pubsubid);
  s.latest = position;
  s.lost += events;
  s.dropped += events;
  counts_.dropped += events;
}

void slow_subscriptions::tell_gap(connection_output& out, parser::wire_mode mode, std::uint64_t pubsubid,
                                  subscription& s, std::uint64_t position) {
  append_gap(out.replies(), mode, pubsubid, std::exchange(s.lost, 0), s.tells_positions ? position : 0);
  ++counts_.gaps;
}

std::optional<slow_subscriptions::question> slow_subscriptions::next_question(connection_output& out,
                                                                              parser::wire_mode mode) {
  if (is_asked_) return std::nullopt;
  while (!dropping_.empty()) {
    const std::uint64_t pubsubid = dropping_.front();
    subscription& s = all_.find(pubsubid)->second;
    if (!s.skip) {
      is_asked_ = true;
      return question{.pubsubid = pubsubid, .owner = s.owner, .tells_positions = s.tells_positions};
    }
    dropping_.erase(dropping_.begin());
    tell_gap(out, mode, pubsubid, s, s.latest);
  }
  return std::nullopt;
}

void slow_subscriptions::go_on(connection_output& out, parser::wire_mode mode, std::uint64_t pubsubid,
                               std::string_view first_rows, std::uint64_t position) {
  is_asked_ = false;
  subscription* const s = find(pubsubid);
  if (s == nullptr) return;
  std::erase(dropping_, pubsubid);
  tell_gap(out, mode, pubsubid, *s, position);
  out.replies() += first_rows;
}

}  // namespace pubsubsql::server
