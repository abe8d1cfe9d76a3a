#include "server/status_listing.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "server/durable_stores.hpp"
#include "server/memory_watch.hpp"
#include "server/version.hpp"

namespace pubsubsql::server {

namespace {

struct totals {
  worker_counters counters;
  slow_counts slow;
  open_connections connections;
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t subscriptions = 0;
};

totals sum_up(const server_sample& all) {
  totals sum;
  for (const worker_sample& w : all.workers) {
    sum.counters += w.counters;
    sum.slow += w.slow;
    sum.connections += w.connections;
    sum.tables += w.tables.size();
    for (const table_numbers& t : w.tables) {
      sum.rows += t.rows;
      sum.row_bytes += t.row_bytes;
      sum.subscriptions += t.subscriptions;
    }
  }
  return sum;
}

template <typename Numbers>
std::uint64_t sum_of(const Numbers& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

std::uint64_t whole_seconds(std::chrono::steady_clock::duration t) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(t).count());
}

}  // namespace

void encode_status(std::string& out, const reply_address& to, const server_sample& all, const shared_state& shared) {
  const totals sum = sum_up(all);
  const store_numbers stores = shared.stores == nullptr ? store_numbers{} : shared.stores->numbers();
  const std::int64_t backlog = shared.backlog_bytes.load(std::memory_order_relaxed);
  const std::uint64_t commits =
      (stores.mysql ? stores.mysql->transactions : 0) + (stores.sqlite ? stores.sqlite->commits : 0);
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"connections", shared.connections.load(std::memory_order_relaxed)},
      {"tables", sum.tables},
      {"rows", sum.rows},
      {"subscriptions", sum.subscriptions},
      {"threads", shared.workers.size()},
      {"backlogbytes", static_cast<std::uint64_t>(std::max<std::int64_t>(backlog, 0))},
      {"slowdisconnects", sum.slow.disconnects},
      {"conflated", sum.slow.conflated},
      {"dropped", sum.slow.dropped},
      {"gaps", sum.slow.gaps},
      {"uptime", whole_seconds(std::chrono::steady_clock::now() - shared.started)},
  };
  const std::pair<std::string_view, std::string_view> texts[] = {{"version", version}};
  const std::pair<std::string_view, std::uint64_t> more[] = {
      {"statements", sum_of(sum.counters.statements)},
      {"statementerrors", sum_of(sum.counters.errors)},
      {"slowstatements", sum.counters.slow_statements},
      {"forwarded", sum.counters.forwarded},
      {"events", sum_of(sum.counters.events)},
      {"deliveries", sum.counters.deliveries},
      {"bytesreceived", sum.counters.bytes_received},
      {"bytessent", sum.counters.bytes_sent},
      {"connectionstotal", sum.counters.connections},
      {"tlsconnections", sum.connections.tls},
      {"rowbytes", sum.row_bytes},
      {"memorybytes", resident_bytes()},
      {"storequeuebytes", shared.store.queued_bytes()},
      {"storelagrows", stores.lag_rows()},
      {"storelagseconds", static_cast<std::uint64_t>(stores.lag_seconds())},
      {"storecommits", commits},
  };
  encode_facts(out, to, "status", numbers, texts, more);
}

}  // namespace pubsubsql::server
