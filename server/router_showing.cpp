#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "server/router.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/status_listing.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

// Statements about all tables.

namespace pubsubsql::server {

std::vector<table_numbers> router::tables_here() const {
  std::vector<table_numbers> all;
  for (const storage::table_summary& t : tables_.tables().tables()) {
    if (t.name.starts_with(storage::own_tables)) continue;
    all.push_back({.name = std::string(t.name),
                   .rows = t.rows,
                   .row_bytes = t.row_bytes,
                   .columns = t.columns,
                   .subscriptions = t.subscriptions,
                   .queue = queue_numbers_of(*tables_.tables().find(t.name), worker_.read_clock())});
    if (all.back().queue) all.back().queue->waiting = tables_.queues().waiting(t.name);
  }
  return all;
}

void router::show_tables(const client_request& a, bool queues) {
  const std::size_t others = worker_.shared().workers.size() - 1;
  gathering g{.route = {.session = a.from.id(), .slot = 0, .address = a.to},
              .missing = others,
              .tables = tables_here(),
              .user = a.from.identity.user,
              .queues = queues};
  if (others == 0) {
    return a.from.reply([&](std::string& out) { encode_tables(out, g); });
  }
  g.route.slot = a.from.await_reply();
  const std::uint64_t number = ++last_gathering_;
  gatherings_.emplace(number, std::move(g));
  for (unsigned other = 0; other <= others; ++other) {
    if (other != worker_.index()) worker_.send(other, list_tables{.asker = worker_.index(), .gathering = number});
  }
}

void router::on(const list_tables& m) {
  worker_.send(m.asker, tables_listed{.gathering = m.gathering, .tables = tables_here()});
}

void router::on(tables_listed& m) {
  const auto it = gatherings_.find(m.gathering);
  gathering& g = it->second;
  std::ranges::move(m.tables, std::back_inserter(g.tables));
  if (--g.missing > 0) return;
  if (session* to = worker_.find(g.route.session)) {
    std::string bytes;
    encode_tables(bytes, g);
    to->complete(g.route.slot, std::move(bytes));
  }
  gatherings_.erase(it);
}

void router::encode_tables(std::string& out, gathering& g) {
  if (g.user != nullptr) {
    std::erase_if(g.tables, [&](const table_numbers& t) { return g.user->on(t.name).rights.empty(); });
  }
  std::ranges::sort(g.tables, {}, &table_numbers::name);
  if (g.queues) return encode_queues(out, g);
  static constexpr std::string_view columns[] = {"Table", "Rows", "Columns", "Subscriptions"};
  std::vector<std::string> cells;
  for (const table_numbers& t : g.tables) {
    cells.insert(cells.end(),
                 {t.name, std::to_string(t.rows), std::to_string(t.columns), std::to_string(t.subscriptions)});
  }
  const std::vector<storage::value> values(cells.begin(), cells.end());
  encode_listing(out, g.route.address, "show", columns, values);
}

void router::show_bindings(const client_request& a) {
  std::vector<binding_directory::entry> all = worker_.shared().bindings.list();
  if (const access::shared_rights& user = a.from.identity.user) {
    const auto may_see = [&](std::string_view table) { return !user->on(table).rights.empty(); };
    std::erase_if(all, [&](const binding_directory::entry& e) { return !may_see(e.queue) || !may_see(e.table); });
  }
  static constexpr std::string_view columns[] = {"Queue", "Table", "Where", "Copied"};
  std::vector<std::string> counts;
  counts.reserve(all.size());
  for (const binding_directory::entry& e : all) counts.push_back(std::to_string(e.copied));
  std::vector<storage::value> cells;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [queue, table, where, copied] = all[i];
    cells.insert(cells.end(), {queue, table, where.empty() ? storage::value{} : storage::value{where}, counts[i]});
  }
  a.from.reply([&](std::string& out) { encode_listing(out, a.to, "show", columns, cells); });
}

void router::encode_queues(std::string& out, const gathering& g) {
  static constexpr std::string_view columns[] = {"Queue",         "Rows",   "Ready",  "InFlight", "Delayed",  "Waiting",
                                                 "OldestSeconds", "Pushed", "Popped", "Acked",    "Returned", "Dead"};
  std::vector<std::string> cells;
  for (const table_numbers& t : g.tables) {
    if (!t.queue) continue;
    cells.push_back(t.name);
    const queue_numbers& q = *t.queue;
    for (const std::uint64_t n : {t.rows, q.ready, q.in_flight, q.delayed, q.waiting, q.oldest_us / 1'000'000,
                                  q.counts.pushed, q.counts.popped, q.counts.acked, q.counts.returned, q.counts.dead}) {
      cells.push_back(std::to_string(n));
    }
  }
  const std::vector<storage::value> values(cells.begin(), cells.end());
  encode_listing(out, g.route.address, "show", columns, values);
}

void router::show_status(const client_request& a) {
  const reply_route route{.session = a.from.id(), .slot = a.from.await_reply(), .address = a.to};
  metrics_.gather(true, [this, route](const server_sample& all) {
    session* const to = worker_.find(route.session);
    if (to == nullptr) return;
    std::string bytes;
    encode_status(bytes, route.address, all, worker_.shared());
    to->complete(route.slot, std::move(bytes));
  });
}

}  // namespace pubsubsql::server
