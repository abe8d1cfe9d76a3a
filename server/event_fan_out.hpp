#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/column_lists.hpp"
#include "server/event_quota.hpp"
#include "server/kept_events.hpp"
#include "server/reply_encoder.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::server {

class session;
class worker;

/// Events on their way from the tables of one worker to sessions. Used by its worker's thread only.
///
/// Events for the same subscribers that follow each other and look alike are collected, and handed out together: then
/// many events cost each subscriber no more than one. Nobody may see the difference, so they are handed out before
///  - anything else is appended for one of those sessions (`session::events_are_due`), or sent to their worker,
///  - subscriptions change,
///  - the loop turn ends.
///
/// Events that other workers have not seen to yet are bounded: who has too many of them loses those that come then.
class event_fan_out {
 public:
  explicit event_fan_out(worker& w);

  /// An event of a table. Its subscribers are those that the engine lists: the list stays in place and as it is until
  /// subscriptions change.
  void publish(const storage::table& about, const storage::event& e);

  /// The events of a statement that was committed.
  void publish(const kept_events& events);

  /// Hands out what is collected, and what is to be said of lost events.
  void hand_out();

  /// To be called before something that is not an event is sent to a session of that worker.
  void hand_out_for(unsigned worker) {
    if (has_lost_ || (collecting_ && !remote_targets_[worker].empty())) hand_out();
  }

 private:
  struct local_target {
    session* to;
    std::uint64_t pubsubid;
  };

  [[nodiscard]] bool continues(const storage::table& about, const storage::event& e) const;
  void begin(const storage::table& about, const storage::event& e);
  void sort_out(std::span<const storage::event_target> targets);
  void deliver_collected();
  void send_to_workers(const encoded_event& e);
  void tell_lost(unsigned worker);
  void deliver(const encoded_event& e, std::span<const storage::event_target> targets);
  void count(storage::event_action action, std::size_t rows);

  worker& worker_;
  column_lists column_lists_;
  encoded_event single_;                                            // scratch
  std::vector<std::vector<storage::event_target>> remote_targets_;  // by worker; of what is collected, or scratch

  // What is on its way to other workers
  std::shared_ptr<std::atomic<std::size_t>> bytes_under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
  event_quota quota_;
  std::vector<lost_event_map> lost_;  // by worker
  bool has_lost_ = false;

  // What is being collected
  bool collecting_ = false;
  encoded_event event_;
  std::vector<local_target> local_targets_;
  /// Somebody has two of the subscriptions: of one connection, all get an event before any gets the next one.
  bool repeats_ = false;
  std::vector<std::vector<std::uint64_t>> seen_;    // by worker and place, the last list that this session was on
  std::uint64_t list_ = 0;                          // number of the list
  std::span<const storage::event_target> targets_;  // looked at for where it lies only
  storage::event_action action_{};
  std::uint64_t schema_version_ = 0;
  std::span<const std::string_view> titles_;  // looked at for where it lies only
  std::vector<storage::column_index> columns_;
};

}  // namespace pubsubsql::server
