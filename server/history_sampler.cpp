#include "server/history_sampler.hpp"

#include <algorithm>
#include <numeric>

#include "server/durable_stores.hpp"
#include "server/metrics/history.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

history_sampler::history_sampler(worker& w) : worker_(w), timer_(w.context()) {}

void history_sampler::start() {
  due_ = taken_ = clock::now();
  await_next();
}

void history_sampler::await_next() {
  // A machine that slept goes on from now.
  due_ = std::max(due_ + std::chrono::seconds(history::interval_seconds), clock::now());
  timer_.expires_at(due_);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    worker_.statements().metrics().gather(false, [this](const server_sample& all) { add(all); });
    await_next();
  });
}

void history_sampler::add(const server_sample& all) {
  const shared_state& shared = worker_.shared();
  const clock::time_point now = clock::now();
  const double seconds = std::max(std::chrono::duration<double>(now - taken_).count(), 1e-3);
  std::uint64_t statements = 0;
  std::uint64_t deliveries = 0;
  for (const worker_sample& w : all.workers) {
    statements = std::accumulate(w.counters.statements.begin(), w.counters.statements.end(), statements);
    deliveries += w.counters.deliveries;
  }
  const store_numbers stores = shared.stores == nullptr ? store_numbers{} : shared.stores->numbers();
  const std::int64_t backlog = shared.backlog_bytes.load(std::memory_order_relaxed);
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  worker_.shared().past.add({.time = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count(),
                             .statements = static_cast<double>(statements - statements_) / seconds,
                             .events = static_cast<double>(deliveries - deliveries_) / seconds,
                             .connections = shared.connections.load(std::memory_order_relaxed),
                             .backlog_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(backlog, 0)),
                             .store_lag_rows = stores.lag_rows(),
                             .store_lag_seconds = stores.lag_seconds()});
  taken_ = now;
  statements_ = statements;
  deliveries_ = deliveries;
}

}  // namespace pubsubsql::server
