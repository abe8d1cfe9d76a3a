#include "server/metrics_gatherer.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/http/connection.hpp"
#include "server/metrics_text.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

std::optional<queue_numbers> queue_numbers_of(const storage::table& t, std::int64_t now_us) {
  const storage::queue_index* const q = t.queue();
  if (q == nullptr) return std::nullopt;
  queue_numbers n{
      .ready = q->ready().size(), .in_flight = q->leased().size(), .delayed = q->delayed_count(), .counts = q->counts};
  if (t.row_count() > 0) {
    const std::int64_t since = q->available_since(t.get(t.end_row(parser::queue_end::front)));
    n.oldest_us = static_cast<std::uint64_t>(std::max<std::int64_t>(now_us - since, 0));
  }
  return n;
}

worker_sample metrics_gatherer::sample_here(bool with_tables) {
  worker_.statements().forget_old_changes();  // this is asked of every worker every few seconds
  worker_sample s;
  s.counters = worker_.counters();
  s.slow = worker_.slow();
  s.busy_seconds = worker_.busy_seconds();
  worker_.for_each_session([&](const session& each) {
    if (each.is_connection()) s.connections.add(each.talks(), each.is_encrypted());
  });
  for (const http::connection* c : worker_.http_connections().open()) {
    if (c->is_served()) s.connections.add(protocol::http, c->is_tls());
  }
  if (with_tables) s.tables = worker_.statements().tables_here();
  return s;
}

void metrics_gatherer::gather(bool with_tables, receiver done) {
  const std::size_t workers = worker_.shared().workers.size();
  gathering g{.missing = workers - 1, .all = {}, .done = std::move(done)};
  g.all.workers.resize(workers);
  g.all.workers[worker_.index()] = sample_here(with_tables);
  if (g.missing == 0) return g.done(g.all);
  const std::uint64_t number = ++last_;
  gatherings_.emplace(number, std::move(g));
  for (unsigned other = 0; other < workers; ++other) {
    if (other == worker_.index()) continue;
    worker_.send(other, list_metrics{.asker = worker_.index(), .gathering = number, .with_tables = with_tables});
  }
}

void metrics_gatherer::on(const list_metrics& m) {
  worker_.send(m.asker, metrics_listed{.gathering = m.gathering,
                                       .worker = worker_.index(),
                                       .sample = std::make_unique<worker_sample>(sample_here(m.with_tables))});
}

void metrics_gatherer::on(metrics_listed& m) {
  const auto it = gatherings_.find(m.gathering);
  it->second.all.workers[m.worker] = std::move(*m.sample);
  if (--it->second.missing > 0) return;
  gathering g = std::move(it->second);
  gatherings_.erase(it);
  g.done(g.all);
}

void gather_metrics(worker& w, std::function<void(std::string text)> done) {
  w.statements().metrics().gather(
      true, [&shared = w.shared(), done = std::move(done)](server_sample& all) { done(metrics_text(all, shared)); });
}

void gather_history(worker& w, const std::function<void(std::string json)>& done) {
  done(w.shared().past.to_json());
}

}  // namespace pubsubsql::server
