#include "storage/told_rights.hpp"

#include <algorithm>
#include <utility>

namespace pubsubsql::storage {

std::uint64_t told_rights::begin(viewer v, std::uint64_t position, is_there_ref is_there) {
  const auto is_gone = [&](std::uint64_t pubsubid) { return !is_there(pubsubid); };
  const auto it = records_.find(v.user);
  if (it == records_.end()) {
    if (records_.size() >= forget_at_) forget_absent(is_there, position);
    const std::uint64_t since = std::max(position, unknown_until_ + 1);
    records_.emplace(std::string(v.user), record{.rights = v.rights, .rows = std::move(v.rows), .since = since});
    return since;
  }
  record& r = it->second;
  if (r.rights == v.rights && r.former.empty()) return r.since;
  r.rights = v.rights;
  if (r.rows != v.rows) {
    // A connection learns a moment later than the table that its user's rights have changed, and ends then.
    r.former.insert(r.former.end(), r.present.begin(), r.present.end());
    r.present.clear();
    r.rows = std::move(v.rows);
  }
  std::erase_if(r.former, is_gone);
  r.since = position + 1;
  return r.since;
}

void told_rights::add(std::string_view user, std::uint64_t pubsubid, is_there_ref is_there) {
  const auto it = records_.find(user);
  if (it == records_.end()) return;
  auto& present = it->second.present;
  if (present.size() == present.capacity()) std::erase_if(present, [&](std::uint64_t id) { return !is_there(id); });
  present.push_back(pubsubid);
}

/// Of users who have come and gone there may be any number.
void told_rights::forget_absent(is_there_ref is_there, std::uint64_t position) {
  const auto is_absent = [&](const auto& r) {
    return std::ranges::none_of(r.second.present, is_there) && std::ranges::none_of(r.second.former, is_there);
  };
  absl::erase_if(records_, is_absent);
  unknown_until_ = position;
  forget_at_ = std::max(records_max, 2 * records_.size());
}

}  // namespace pubsubsql::storage
