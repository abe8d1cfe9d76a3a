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
  if (workers_.size() >= tables_max_) return std::nullopt;
  unsigned chosen = preferred;
  for (unsigned worker = 0; worker < tables_of_.size(); ++worker) {
    if (tables_of_[worker] < tables_of_[chosen]) chosen = worker;
  }
  ++tables_of_[chosen];
  workers_.emplace(table, chosen);
  return chosen;
}

std::size_t table_directory::size() const {
  const std::scoped_lock lock(mutex_);
  return workers_.size();
}

}  // namespace pubsubsql::server
