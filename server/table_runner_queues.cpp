#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/access_control.hpp"
#include "server/access_gate.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

// The part of queues at the tables: what is run for those who wait, and what stores see of a queue.

namespace pubsubsql::server {

/// A queue that is not durable is none of the stores' business, but a table that it takes the place of, or that takes
/// its place, is.
std::span<const storage::change> table_runner::stored_part(const storage::outcome& o) {
  using storage::change_kind;
  if (o.changes.empty()) return {};
  const auto dropped = std::ranges::find(o.changes, change_kind::drop_table, &storage::change::kind);
  if (dropped == o.changes.end()) return o.about->is_stored() ? o.changes : std::span<const storage::change>();
  const auto behind = static_cast<std::size_t>(dropped - o.changes.begin()) + 1;
  const bool was_stored = dropped->declared == nullptr || dropped->declared->is_stored();
  if (behind == o.changes.size()) return was_stored ? o.changes : std::span<const storage::change>();
  const storage::table_description* const next = o.changes[behind].declared;
  const bool is_stored = next == nullptr || next->is_stored();
  if (was_stored && is_stored) return o.changes;
  if (was_stored) return o.changes.first(behind);
  return is_stored ? o.changes.subspan(behind) : std::span<const storage::change>();
}

bool table_runner::is_free(std::string_view table) const {
  if (paused_) return false;
  const auto it = queues_.find(table);
  return it == queues_.end() || (!it->second->occupied && !it->second->is_full());
}

/// What a statement on a queue has come to.
void table_runner::settle_queued(table_queue* q, statement_source from, const storage::outcome& o,
                                 std::vector<std::uint64_t> ended, bool drops_table) {
  if (o.wait_us > 0 && keep_waiting(from, o)) return;
  const std::string queue(o.about->name());
  const auto ends = from.ends_leases;
  const storage::subscriber_id session = from.route.session;
  settle_changes(q, std::move(from), o, std::move(ended), drops_table);
  if (ends) queues_kept_.ended_some(queue, *ends, session);
  queues_kept_.touched(queue);
}

void table_runner::count(std::string_view queue, const storage::queue_counts& done) {
  if (done != storage::queue_counts()) database_.count(queue, done);
}

bool table_runner::keep_waiting(statement_source& from, const storage::outcome& o) {
  if (from.wait_until_us == 0) from.wait_until_us = worker_.now_us() + o.wait_us;
  if (from.wait_until_us <= worker_.now_us()) return false;
  from.looked_until = o.looked_until;
  open_slot(from);
  queues_kept_.wait(o.about->name(), std::move(from));
  return true;
}

bool table_runner::renew_rights(statement_source& from) {
  if (from.user == nullptr) return true;
  access::shared_rights now = worker_.shared().access->find(from.user->name());
  if (now == from.user) return true;
  if (now == nullptr || now->identity() != from.user->identity()) {
    now = std::make_shared<const access::user_rights>(from.user->name(), std::vector<std::string>());  // who is gone
  }
  const auto denied = access_gate::denial_of(*statements_.parse(from.sql), *now);
  from.user = std::move(now);
  from.looked_until = 0;
  if (!denied) return true;
  std::string bytes;
  encode_error(bytes, from.route.address, *denied);
  answer(from, std::move(bytes), {});
  return false;
}

void table_runner::execute_from_text(table_queue* q, statement_source from) {
  if (from.wait_until_us == statement_source::waits_no_more && !renew_rights(from)) return;
  // The tree points into the text, which moves with its source when it is short.
  const std::string sql = from.sql;
  const parser::statement& s = *statements_.parse(sql);
  execute(q, std::move(from), s);
}

void table_runner::run_again(std::string_view table, statement_source from) {
  if (!worker_.shared().store.has_store() && is_free(table)) return execute_from_text(nullptr, std::move(from));
  table_queue& q = queue_of(table);
  if (is_free(table)) return execute_from_text(&q, std::move(from));
  q.waiting.push_back({.source = std::move(from), .barrier = false});
}

void table_runner::execute_ending(table_queue* q, statement_source from, std::string_view queue) {
  const storage::outcome& o = database_.end_leases(queue, *from.ends_leases, from.route.session, worker_.now_us());
  if (o.failure) return;  // it is no queue any more
  settle(q, std::move(from), o, {}, false);
}

void table_runner::end_leases(std::string_view queue, storage::lease_end why, storage::subscriber_id of) {
  statement_source from{.route = {.session = of, .slot = 0, .address = {}}, .text = {}, .sql = {}, .ends_leases = why};
  if (!worker_.shared().store.has_store() && is_free(queue)) return execute_ending(nullptr, std::move(from), queue);
  table_queue& q = queue_of(queue);
  if (is_free(queue)) return execute_ending(&q, std::move(from), queue);
  q.waiting.push_back({.source = std::move(from), .barrier = false});
}

void table_runner::stop_waiting(storage::subscriber_id session) {
  for (table_queue* q : queue_by_number_) {
    for (held_statement& h : q->held) {
      if (h.source.route.session == session) h.source.wait_until_us = statement_source::waits_no_more;
    }
    for (waiting_statement& w : q->waiting) {
      if (w.source.route.session == session) w.source.wait_until_us = statement_source::waits_no_more;
    }
  }
  queues_kept_.stop_waiting(session);
}

}  // namespace pubsubsql::server
