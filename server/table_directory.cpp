#include "server/table_directory.hpp"

namespace pubsubsql::server {

std::optional<unsigned> table_directory::find(std::string_view table) const {
  const std::scoped_lock lock(mutex_);
  const auto it = workers_.find(table);
  if (it == workers_.end()) return std::nullopt;
  return it->second;
}

std::optional<unsigned> table_directory::find_or_place(std::string_view table, unsigned preferred) {
  const std::scoped_lock lock(mutex_);
  if (const auto it = workers_.find(table); it != workers_.end()) return it->second;
  if (workers_.size() >= tables_max_ || subscriptions_.contains(table)) return std::nullopt;
  unsigned chosen = preferred;
  for (unsigned worker = 0; worker < tables_of_.size(); ++worker) {
    if (tables_of_[worker] < tables_of_[chosen]) chosen = worker;
  }
  ++tables_of_[chosen];
  workers_.emplace(table, chosen);
  return chosen;
}

std::optional<std::string> table_directory::table_of_subscription(std::string_view name) const {
  if (!has_subscriptions_.load(std::memory_order_acquire)) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  const auto it = subscriptions_.find(name);
  if (it == subscriptions_.end()) return std::nullopt;
  return it->second;
}

std::optional<std::string> table_directory::claim_subscription(std::string_view name, std::string_view table) {
  const std::scoped_lock lock(mutex_);
  if (workers_.contains(name)) return "a table has or had that name; choose another";
  has_subscriptions_.store(true, std::memory_order_release);
  const auto [it, is_new] = subscriptions_.try_emplace(std::string(name), table);
  if (it->second != table) {
    return "there is one of that name to table " + it->second + "; drop it first, or choose another name";
  }
  if (is_new) subscribed_[std::string(table)].emplace_back(name);
  return std::nullopt;
}

std::vector<std::string> table_directory::set_subscriptions(std::string_view table,
                                                            const std::vector<std::string>& names) {
  const std::scoped_lock lock(mutex_);
  if (const auto before = subscribed_.find(table); before != subscribed_.end()) {
    for (const std::string& name : before->second) subscriptions_.erase(subscriptions_.find(name));
    subscribed_.erase(before);
  }
  if (!names.empty()) has_subscriptions_.store(true, std::memory_order_release);
  std::vector<std::string> left_out;
  std::vector<std::string> here;
  for (const std::string& name : names) {
    const bool is_new = subscriptions_.try_emplace(name, table).second;
    (is_new ? here : left_out).push_back(name);
  }
  if (!here.empty()) subscribed_.emplace(std::string(table), std::move(here));
  return left_out;
}

std::size_t table_directory::size() const {
  const std::scoped_lock lock(mutex_);
  return workers_.size();
}

}  // namespace pubsubsql::server
