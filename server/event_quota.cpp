#include "server/event_quota.hpp"

namespace pubsubsql::server {

std::size_t memory_bytes(const encoded_event& e) {
  return sizeof e + e.head.size() + e.columns.size() + e.rows.size() + e.parts.size() * sizeof(encoded_event::part);
}

void event_quota::sort_out(std::size_t kept, std::size_t bytes, const encoded_event& e,
                           std::vector<storage::event_target>& targets, lost_event_map& lost) {
  const bool is_over = kept > all_max_;
  const bool is_far_over = kept / 2 > all_max_;
  std::erase_if(targets, [&](const storage::event_target& target) {
    std::size_t& had = by_connection_[target.subscriber];
    if (!is_far_over && (!is_over || had <= one_max_)) {
      had += bytes;
      return false;
    }
    lost[target.pubsubid] += {.target = target, .events = e.count, .position = e.sequence};
    return true;
  });
}

}  // namespace pubsubsql::server
