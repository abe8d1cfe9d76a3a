#include "server/table_locks.hpp"

#include <algorithm>
#include <utility>

namespace pubsubsql::server {

transaction_id table_locks::make_id() {
  const std::scoped_lock lock(mutex_);
  return transaction_id{++last_id_};
}

bool table_locks::enter(transaction_id who, std::function<void()> when_open) {
  const std::scoped_lock lock(mutex_);
  if (closed_) {
    when_open_.push_back(std::move(when_open));
    return false;
  }
  members_.try_emplace(who);
  return true;
}

/// Whether the first is the sought one or waits for it: each waits for the one before it in the list of the table that
/// it wants, so there is one chain to follow.
bool table_locks::waits_for(transaction_id first, transaction_id sought) const {
  for (transaction_id at = first;;) {
    if (at == sought) return true;
    const auto& list = tables_.find(members_.at(at).wanted)->second;
    const auto place = std::ranges::find(list, at);
    if (place == list.begin()) return false;
    at = *(place - 1);
  }
}

bool table_locks::want(transaction_id who, std::string_view table) {
  const std::scoped_lock lock(mutex_);
  auto it = tables_.find(table);
  if (it != tables_.end() && waits_for(it->second.back(), who)) return false;
  if (it == tables_.end()) it = tables_.emplace(std::string(table), std::vector<transaction_id>()).first;
  it->second.push_back(who);
  member& m = members_[who];
  m.wanted = table;
  ++m.tables;
  return true;
}

void table_locks::release(transaction_id who, std::string_view table) {
  const std::scoped_lock lock(mutex_);
  const auto it = tables_.find(table);
  if (it == tables_.end() || std::erase(it->second, who) == 0) return;
  if (it->second.empty()) tables_.erase(it);
  member& m = members_.at(who);
  if (--m.tables == 0) return forget(who);
  if (m.wanted != table) return;
  // It has all others that it asked for: any of them tells that it waits for nothing.
  const auto kept = std::ranges::find_if(
      tables_, [&](const auto& entry) { return std::ranges::find(entry.second, who) != entry.second.end(); });
  m.wanted = kept->first;
}

void table_locks::leave(transaction_id who) {
  const std::scoped_lock lock(mutex_);
  const auto it = members_.find(who);
  if (it != members_.end() && it->second.tables == 0) forget(who);
}

void table_locks::forget(transaction_id who) {
  members_.erase(who);
  if (members_.empty()) emptied_.notify_all();
}

void table_locks::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
}

void table_locks::open() {
  std::vector<std::function<void()>> wake;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = false;
    wake.swap(when_open_);
  }
  for (const auto& w : wake) w();
}

bool table_locks::wait_until_empty(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, at_most, [this] { return members_.empty(); });
}

}  // namespace pubsubsql::server
