#include "server/queue_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/access_control.hpp"
#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

namespace {

/// The timer measures time, leases end by the clock: when that is set, they may end so much too late.
constexpr std::int64_t look_again_us = 10'000'000;
/// While a table is not to be had, what is due there is looked at again after this time.
constexpr std::int64_t busy_us = 50'000;
/// Rows that could not be moved are tried again after this time.
constexpr std::int64_t move_again_us = 10'000'000;
/// Moved together.
constexpr std::size_t rows_per_move = 100;
/// After so many rows that could not be moved the others wait, too.
constexpr std::uint64_t misfits_at_a_time = 10;
/// The log has one line in this time about the rows that a queue drops.
constexpr std::int64_t tell_again_us = 10'000'000;

}  // namespace

queue_keeper::queue_keeper(worker& w, table_runner& tables) : worker_(w), tables_(tables), timer_(w.context()) {}

queue_keeper::~queue_keeper() = default;

queue_keeper::kept_queue& queue_keeper::kept(std::string_view queue) {
  if (const auto it = queues_.find(queue); it != queues_.end()) return *it->second;
  auto made = std::make_unique<kept_queue>();
  made->name = queue;
  return *queues_.emplace(made->name, std::move(made)).first->second;
}

/// Of all queues: what is done to one may add another.
std::vector<std::string> queue_keeper::names() const {
  std::vector<std::string> all;
  for (const auto& [name, k] : queues_) all.push_back(name);
  return all;
}

/// nullptr: it is no queue any more.
const storage::table* queue_keeper::find(const kept_queue& k) const {
  const storage::table* const t = tables_.tables().find(k.name);
  return t != nullptr && t->queue() != nullptr ? t : nullptr;
}

std::size_t queue_keeper::waiting(std::string_view queue) const {
  const auto it = queues_.find(queue);
  return it == queues_.end() ? 0 : it->second->waiting.size();
}

void queue_keeper::start() {
  std::vector<std::string> names;
  for (const storage::table_summary& t : tables_.tables().tables()) {
    if (tables_.tables().find(t.name)->queue() != nullptr) names.emplace_back(t.name);
  }
  for (const std::string& name : names) {
    tables_.end_leases(name, storage::lease_end::restart, {});
    touched(name);
  }
}

// Pops that wait

void queue_keeper::wait(std::string_view queue, statement_source from) {
  if (serving_ != nullptr && serving_->name == queue) {
    put_back_ = std::move(from);
    return;
  }
  if (!tables_.renew_rights(from)) return;  // they may have changed while it was on its way
  arm(from.wait_until_us);
  kept(queue).waiting.push_back(std::move(from));
}

void queue_keeper::rights_changed() {
  recheck_rights();
  for (const std::string& name : names()) {
    if (waiting(name) > 0) touched(name);
  }
}

void queue_keeper::recheck_rights() {
  const access_control* const control = worker_.shared().access;
  if (control == nullptr || control->version() == rights_version_) return;
  rights_version_ = control->version();
  for (const std::string& name : names()) {
    kept_queue& k = kept(name);
    // An answer may have its session go on with what it has sent.
    for (statement_source& from : std::exchange(k.waiting, {})) {
      if (tables_.renew_rights(from)) k.waiting.push_back(std::move(from));
    }
  }
}

/// Each of those that wait gets its turn, as long as there are rows.
void queue_keeper::serve(kept_queue& k) {
  serving_ = &k;
  for (std::size_t at = 0; at < k.waiting.size();) {
    const storage::table* const t = find(k);
    if (t == nullptr || t->queue()->ready().empty() || !tables_.is_free(k.name)) break;
    statement_source next = std::move(k.waiting[at]);
    k.waiting.erase(k.waiting.begin() + static_cast<std::ptrdiff_t>(at));
    put_back_.reset();
    tables_.run_again(k.name, std::move(next));
    if (!put_back_) continue;
    k.waiting.insert(k.waiting.begin() + static_cast<std::ptrdiff_t>(at), std::move(*put_back_));
    put_back_.reset();
    ++at;
  }
  serving_ = nullptr;
}

/// With what there is: they wait no longer.
void queue_keeper::answer(kept_queue& k, std::deque<statement_source> pops) {
  for (statement_source& from : pops) {
    from.wait_until_us = statement_source::waits_no_more;
    tables_.run_again(k.name, std::move(from));
  }
}

/// The queue is gone.
void queue_keeper::answer_all(kept_queue& k) {
  answer(k, std::exchange(k.waiting, {}));
}

/// The time of some is over.
void queue_keeper::answer_late(kept_queue& k, std::int64_t now_us) {
  const auto first = std::stable_partition(k.waiting.begin(), k.waiting.end(),
                                           [&](const statement_source& s) { return s.wait_until_us > now_us; });
  std::deque<statement_source> late(std::make_move_iterator(first), std::make_move_iterator(k.waiting.end()));
  k.waiting.erase(first, k.waiting.end());
  answer(k, std::move(late));
}

void queue_keeper::stop_waiting(storage::subscriber_id session) {
  for (const auto& [name, k] : queues_) {
    for (statement_source& from : k->waiting) {
      if (from.route.session == session) from.wait_until_us = 0;
    }
  }
  arm(0);  // after what has come from the session and not been run
}

// What happens to a queue

void queue_keeper::touched(std::string_view queue) {
  if (serving_ != nullptr) return;  // which goes on
  kept_queue& k = kept(queue);
  if (!k.waiting.empty()) {
    recheck_rights();
    serve(k);
  }
  const storage::table* const t = find(k);
  if (t == nullptr) return answer_all(k);
  tell_dropped(k, *t);
  if (!t->queue()->dead().empty()) bury(k);
  arm_for(k);
}

void queue_keeper::ended_some(std::string_view queue, storage::lease_end why, storage::subscriber_id of) {
  const storage::table* const t = tables_.tables().find(queue);
  if (t == nullptr || t->queue() == nullptr || why == storage::lease_end::time) return;
  const bool is_done =
      why == storage::lease_end::connection ? !t->queue()->has_leased(of) : t->queue()->leased().empty();
  if (is_done) return;
  boost::asio::post(worker_.context(), [this, name = std::string(queue), why, of] {
    worker_.forget_time();
    tables_.end_leases(name, why, of);
    worker_.forget_time();
  });
}

void queue_keeper::forget(storage::subscriber_id session) {
  std::vector<std::string> leasing;
  for (const auto& [name, k] : queues_) {
    std::erase_if(k->waiting, [&](const statement_source& s) { return s.route.session == session; });
    const storage::table* const t = find(*k);
    if (t != nullptr && t->queue()->has_leased(session)) leasing.push_back(name);
  }
  for (const std::string& name : leasing) tables_.end_leases(name, storage::lease_end::connection, session);
}

// Dead rows

void queue_keeper::tell_dropped(kept_queue& k, const storage::table& t) {
  const storage::queue_index& q = *t.queue();
  if (q.counts.dead < k.dropped) k.dropped = 0;  // it is another queue of that name
  if (!drops_untold(k, q) || worker_.now_us() < k.tell_at_us) return;
  spdlog::warn(
      "queue {}: {} rows had their {} attempts and are gone; declare the queue with a dead letter table to "
      "keep such rows",
      k.name, q.counts.dead - k.dropped, q.settings().attempts_max);
  k.dropped = q.counts.dead;
  k.tell_at_us = worker_.now_us() + tell_again_us;
}

/// Whether rows have gone that the log does not tell of yet.
bool queue_keeper::drops_untold(const kept_queue& k, const storage::queue_index& q) {
  return q.settings().dead_letter.empty() && q.counts.dead > k.dropped;
}

void queue_keeper::bury(kept_queue& k) {
  if (k.dead.is_moving || !tables_.is_free(k.name) || worker_.now_us() < k.dead.not_before_us) return;
  k.dead.is_moving = true;
  // Later: this may be called while a transaction is being finished.
  boost::asio::post(worker_.context(), [this, name = k.name] {
    worker_.forget_time();
    const storage::table* const t = find(kept(name));
    // It may be done, and the next one begun, when this returns.
    if (t == nullptr || !begin_move(kept(name), *t)) {
      kept(name).dead.is_moving = false;
      arm_for(kept(name));
    }
    worker_.forget_time();
  });
}

/// False: there is nothing to be moved, or not now.
bool queue_keeper::begin_move(kept_queue& k, const storage::table& t) {
  const storage::queue_index::row_set& dead = t.queue()->dead();
  const auto first = k.dead.one_by_one ? dead.upper_bound(k.dead.tried) : dead.begin();
  if (first == dead.end()) {
    // All have been tried. Later they are together again, with others perhaps.
    if (k.dead.misfits > 0) k.dead.not_before_us = worker_.now_us() + move_again_us;
    k.dead.one_by_one = false;
    return false;
  }
  k.dead.trying = first->first;
  return worker_.statements().move_dead(t, first->first, k.dead.one_by_one ? 1 : rows_per_move);
}

void queue_keeper::moved_dead(std::string_view queue, std::string_view why_not) {
  kept_queue& k = kept(queue);
  k.dead.is_moving = false;
  if (!why_not.empty()) {
    if (!k.dead.one_by_one) {
      k.dead.one_by_one = true;
      k.dead.tried = INT64_MIN;
      k.dead.misfits = 0;
    } else {
      k.dead.tried = k.dead.trying;
      // There may be many, and each has cost a transaction.
      if (++k.dead.misfits % misfits_at_a_time == 0) k.dead.not_before_us = worker_.now_us() + move_again_us;
      if (k.dead.misfits % misfits_at_a_time == 1) tell_unmoved(k, why_not);
    }
  }
  touched(k.name);
}

void queue_keeper::cannot_move_dead(std::string_view queue, std::string_view why_not) {
  kept_queue& k = kept(queue);
  k.dead.not_before_us = worker_.now_us() + move_again_us;
  tell_unmoved(k, why_not);
}

void queue_keeper::tell_unmoved(const kept_queue& k, std::string_view why_not) {
  const storage::table* const t = find(k);
  spdlog::error("queue {}: rows that had their attempts stay, because they cannot be moved to table {}: {}", k.name,
                t == nullptr ? "" : t->queue()->settings().dead_letter, why_not);
}

// The timer

void queue_keeper::arm_for(const kept_queue& k) {
  const storage::table* const t = find(k);
  std::int64_t at = INT64_MAX;
  if (t != nullptr) {
    const storage::queue_index& q = *t->queue();
    if (const auto due = q.next_due()) at = *due;
    if (drops_untold(k, q)) at = std::min(at, k.tell_at_us);
    if (!q.dead().empty() && !k.dead.is_moving) {
      at = std::min(at, std::max(k.dead.not_before_us, worker_.now_us() + busy_us));
    }
  }
  for (const statement_source& from : k.waiting) at = std::min(at, from.wait_until_us);
  if (at != INT64_MAX && !tables_.is_free(k.name)) at = std::max(at, worker_.now_us() + busy_us);
  if (at != INT64_MAX) arm(at);
}

void queue_keeper::arm(std::int64_t at_us) {
  if (at_us >= armed_at_us_) return;
  armed_at_us_ = at_us;
  const std::int64_t left = std::clamp<std::int64_t>(at_us - worker_.now_us(), 0, look_again_us);
  timer_.expires_after(std::chrono::microseconds(left));
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) tick();
  });
}

void queue_keeper::tick() {
  armed_at_us_ = INT64_MAX;
  worker_.forget_time();
  recheck_rights();
  const std::int64_t now_us = worker_.now_us();
  for (const std::string& name : names()) {
    kept_queue& k = kept(name);
    const storage::table* const t = find(k);
    if (t != nullptr && t->queue()->next_due().value_or(INT64_MAX) <= now_us && tables_.is_free(name)) {
      tables_.end_leases(name, storage::lease_end::time, {});
    }
    answer_late(k, now_us);
    if (find(k) == nullptr && k.waiting.empty()) {
      queues_.erase(name);
    } else {
      touched(name);
    }
  }
  worker_.forget_time();
}

}  // namespace pubsubsql::server
