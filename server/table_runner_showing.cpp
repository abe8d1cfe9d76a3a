#include <string>
#include <utility>

#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/subscriber.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"

// Showing subscriptions their rows again: in the table's queue like a select, so that what they get is committed and
// has its place among the events.

namespace pubsubsql::server {

void table_runner::show_again(const wanted_rows& asked) {
  statement_source from{.route = {.session = asked.session, .slot = 0, .address = {.mode = asked.mode}},
                        .pubsubid = asked.pubsubid,
                        .shows_again = showing::rows,
                        .tells_positions = asked.tells_positions,
                        .text = {},
                        .sql = {}};
  const auto table = database_.table_of(asked.session, asked.pubsubid);
  if (!table) return answer_showing(from, {});
  if (!worker_.shared().store.has_store() && !paused_ && !has_waiting(*table)) {
    return show_again(nullptr, std::move(from));
  }
  table_queue& q = queue_of(*table);
  if (paused_ || q.occupied || !q.waiting.empty() || q.is_full()) {
    q.waiting.push_back({.source = std::move(from), .barrier = false});
    return;
  }
  show_again(&q, std::move(from));
}

/// The table is to be had.
void table_runner::show_again(table_queue* q, statement_source from) {
  std::string bytes;
  if (database_.table_of(from.route.session, from.pubsubid)) {
    const storage::outcome& o =
        database_.show_again(from.route.session, from.pubsubid, worker_.now_us(), from.tells_positions);
    from.position = o.position;
    from.shows_again = o.failure ? showing::too_much : showing::rows;
    if (!o.failure) append_first_rows(bytes, from.route.address.mode, o, column_lists_);
  }
  if (q == nullptr || q->held.empty()) return answer_showing(from, std::move(bytes));
  held_statement& h = q->held.emplace_back();
  h.reply = std::move(bytes);
  q->held_bytes += h.reply.size();
  h.source = std::move(from);
}

void table_runner::answer_showing(const statement_source& from, std::string bytes) {
  first_rows answer{.session = from.route.session, .pubsubid = from.pubsubid, .position = from.position};
  if (from.shows_again == showing::rows) answer.bytes = std::move(bytes);
  const unsigned home = subscriber::of(answer.session).worker;
  if (home == worker_.index()) return worker_.statements().on(answer);
  worker_.events().hand_out_for(home);
  worker_.send(home, std::move(answer));
}

}  // namespace pubsubsql::server
