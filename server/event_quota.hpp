#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "server/reply_encoder.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::server {

/// Events that a subscription does not get.
struct lost_events {
  storage::event_target target;
  std::uint64_t events = 0;
  std::uint64_t position = 0;  ///< what the last of them leads to; 0: not known

  /// Behind these.
  lost_events& operator+=(const lost_events& later) {
    target = later.target;
    events += later.events;
    position = later.position;
    return *this;
  }
};

/// By pubsubid.
using lost_event_map = absl::flat_hash_map<std::uint64_t, lost_events>;

/// Memory of an event as it is kept.
[[nodiscard]] std::size_t memory_bytes(const encoded_event& e);

/// Decides who gets no more events while those that are kept for somebody take too much: first the connections for
/// which there are the most, and from twice as much on everybody. Sans-io; used by one thread.
class event_quota {
 public:
  /// `all_max`: bytes of events that may be kept; 0: no bound. `one_max`: who has more than that of them is of those
  /// who get no more first.
  event_quota(std::size_t all_max, std::size_t one_max) : all_max_(all_max), one_max_(one_max) {}

  /// So many bytes are kept, and an event more of so many bytes. Takes out of `targets` those that do not get it.
  void admit(std::size_t kept, std::size_t bytes, const encoded_event& e, std::vector<storage::event_target>& targets,
             lost_event_map& lost) {
    if (all_max_ > 0 && kept > all_max_ / 2) return sort_out(kept, bytes, e, targets, lost);
    if (!by_connection_.empty()) by_connection_.clear();
  }

 private:
  void sort_out(std::size_t kept, std::size_t bytes, const encoded_event& e,
                std::vector<storage::event_target>& targets, lost_event_map& lost);

  std::size_t all_max_;
  std::size_t one_max_;
  absl::flat_hash_map<storage::subscriber_id, std::size_t> by_connection_;  // bytes since half of all_max was reached
};

}  // namespace pubsubsql::server
