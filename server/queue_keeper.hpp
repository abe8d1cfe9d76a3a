#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "server/worker_message.hpp"
#include "storage/queue_index.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::server {

class table_runner;
class worker;

/// What happens to the queues of one worker by itself: pops that wait get rows, first come, first served; leases and
/// delays end in time, by one timer for all; rows that have had their attempts are moved to their dead letter table.
/// Used by its worker's thread only.
class queue_keeper {
 public:
  /// Both outlive this.
  queue_keeper(worker& w, table_runner& tables);
  ~queue_keeper();
  queue_keeper(const queue_keeper&) = delete;
  queue_keeper& operator=(const queue_keeper&) = delete;

  /// The server starts: leases that were stored end, since their connections are gone.
  void start();

  /// A pop has found no row and waits for one until `from.wait_until_us`. Its slot is open, and it has its text.
  void wait(std::string_view queue, statement_source from);

  /// Something has happened to the queue's rows, or its table is to be had again. May run statements.
  void touched(std::string_view queue);

  /// A step of ending leases is done, of which there may be more.
  void ended_some(std::string_view queue, storage::lease_end why, storage::subscriber_id of);

  /// Pops of this session wait no longer: they are answered with what there is.
  void stop_waiting(storage::subscriber_id session);

  /// Users or rights are others than before: pops that their users may not run any more are answered so, and others may
  /// find rows now.
  void rights_changed();

  /// This session is gone: its leases end, and its pops are forgotten.
  void forget(storage::subscriber_id session);

  /// The moving of dead rows has ended. `why_not` is for the log; empty: they have been moved.
  void moved_dead(std::string_view queue, std::string_view why_not);
  /// No dead row can be moved for now.
  void cannot_move_dead(std::string_view queue, std::string_view why_not);

  /// Whether it has seen to that queue.
  [[nodiscard]] bool knows(std::string_view queue) const { return !queues_.empty() && queues_.contains(queue); }

  /// How many pops wait.
  [[nodiscard]] std::size_t waiting(std::string_view queue) const;

 private:
  /// The moving of a queue's dead rows: many at a time, and when that fails one by one, as one that the dead letter
  /// table does not take must not keep the others back.
  struct burial {
    bool is_moving = false;
    std::int64_t not_before_us = 0;  ///< it has failed
    bool one_by_one = false;
    storage::row_position trying = 0;         ///< the first of those that are being moved
    storage::row_position tried = INT64_MIN;  ///< one by one: the last that failed
    std::uint64_t misfits = 0;                ///< how many failed
  };
  struct kept_queue {
    std::string name;
    std::deque<statement_source> waiting;  ///< the first has come first
    burial dead;
    std::uint64_t dropped = 0;    ///< dead rows that have been told of in the log
    std::int64_t tell_at_us = 0;  ///< of others it is not told before
  };

  kept_queue& kept(std::string_view queue);
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const storage::table* find(const kept_queue& k) const;
  void recheck_rights();
  void serve(kept_queue& k);
  void answer(kept_queue& k, std::deque<statement_source> pops);
  void answer_all(kept_queue& k);
  void answer_late(kept_queue& k, std::int64_t now_us);
  void bury(kept_queue& k);
  [[nodiscard]] bool begin_move(kept_queue& k, const storage::table& t);
  void tell_unmoved(const kept_queue& k, std::string_view why_not);
  void tell_dropped(kept_queue& k, const storage::table& t);
  [[nodiscard]] static bool drops_untold(const kept_queue& k, const storage::queue_index& q);
  void arm(std::int64_t at_us);
  void arm_for(const kept_queue& k);
  void tick();

  worker& worker_;
  table_runner& tables_;
  storage::text_map<std::unique_ptr<kept_queue>> queues_;
  boost::asio::steady_timer timer_;
  std::int64_t armed_at_us_ = INT64_MAX;
  std::uint64_t rights_version_ = 0;          // that those who wait have been looked at by
  const kept_queue* serving_ = nullptr;       // its waiting pops are being run
  std::optional<statement_source> put_back_;  // one of them, which found nothing
};

}  // namespace pubsubsql::server
