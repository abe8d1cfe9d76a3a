#include "server/metrics_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "server/durable_stores.hpp"
#include "server/limits.hpp"
#include "server/metrics/exposition.hpp"
#include "server/metrics/process_usage.hpp"
#include "server/reply_encoder.hpp"
#include "server/version.hpp"

namespace pubsubsql::server {

namespace {

using type = exposition::type;
using label = exposition::label;

void write_statements(exposition& e, const worker_counters& c) {
  e.family("pubsubsql_statements_total", type::counter, "Statements taken, by what they are");
  for (verb v = 0; v < verb_count; ++v) e.sample(c.statements[v], {"verb", name_of_verb(v)});
  e.family("pubsubsql_statement_errors_total", type::counter, "Statements answered by an error, by what they are");
  for (verb v = 0; v < verb_count; ++v) e.sample(c.errors[v], {"verb", name_of_verb(v)});
  e.family("pubsubsql_statement_duration_seconds", type::histogram,
           "Time from a statement being taken to its answer, waiting for workers and stores included; of statements "
           "that came together, a sample");
  e.samples(c.statement_durations);
  e.counter("pubsubsql_slow_statements_total", "Statements that took longer than --slow-statement-ms",
            c.slow_statements);
  e.family("pubsubsql_commit_duration_seconds", type::histogram,
           "Time that statements and transactions waited for the stores to commit them");
  e.samples(c.commit_durations);
}

void write_events(exposition& e, const worker_counters& c, const slow_counts& slow, shared_state& shared) {
  e.family("pubsubsql_events_total", type::counter, "Rows of events made, once for each group of like subscriptions");
  for (std::size_t a = 0; a < event_actions; ++a) {
    e.sample(c.events[a], {"action", name_of(static_cast<storage::event_action>(a))});
  }
  e.counter("pubsubsql_event_deliveries_total", "Rows of events for connections, once for each subscription",
            c.deliveries);
  e.gauge("pubsubsql_subscriptions", "Subscriptions", shared.subscriptions.load(std::memory_order_relaxed));
  const std::int64_t backlog = shared.backlog_bytes.load(std::memory_order_relaxed);
  e.gauge("pubsubsql_backlog_bytes", "Bytes of events that wait for connections",
          static_cast<std::uint64_t>(std::max<std::int64_t>(backlog, 0)));
  const std::int64_t replies = shared.reply_bytes.load(std::memory_order_relaxed);
  e.gauge("pubsubsql_unread_reply_bytes", "Bytes of replies that connections have not read, those of HTTP left out",
          static_cast<std::uint64_t>(std::max<std::int64_t>(replies, 0)));
  e.counter("pubsubsql_slow_disconnects_total", "Connections ended because a subscriber was too slow",
            slow.disconnects);
  e.counter("pubsubsql_conflated_events_total", "Events that later ones took the place of, for slow subscribers",
            slow.conflated);
  e.counter("pubsubsql_dropped_events_total", "Events left out for slow subscribers", slow.dropped);
  e.family("pubsubsql_resumes_total", type::counter,
           "Subscriptions that asked to go on at a position: those that did, and those that had to begin anew");
  e.sample(c.resumed, {"outcome", "resumed"});
  e.sample(c.resynced, {"outcome", "resynced"});
  const std::int64_t history = shared.history_bytes.load(std::memory_order_relaxed);
  e.gauge("pubsubsql_history_bytes", "Memory of changes that tables keep for subscribers that come back",
          static_cast<std::uint64_t>(std::max<std::int64_t>(history, 0)));
  e.counter("pubsubsql_gaps_total", "Times that slow subscribers were told that events are missing", slow.gaps);
}

void write_connections(exposition& e, const worker_counters& c, const open_connections& open) {
  e.family("pubsubsql_connections", type::gauge, "Connections served, by how they talk");
  for (std::size_t p = 0; p < protocol_names.size(); ++p)
    e.sample(open.by_protocol[p], {"protocol", protocol_names[p]});
  e.gauge("pubsubsql_tls_connections", "Connections served that use TLS", open.tls);
  e.counter("pubsubsql_connections_total", "Connections served since the start", c.connections);
  e.counter("pubsubsql_received_bytes_total", "Bytes that connections sent, as they are inside TLS", c.bytes_received);
  e.counter("pubsubsql_sent_bytes_total", "Bytes that connections took, as they are inside TLS", c.bytes_sent);
}

void write_limits(exposition& e, const shared_state& shared) {
  const auto limits = all_limits();
  e.family("pubsubsql_limit", type::gauge, "The limits as they are set, by flag; 0 where that means none");
  for (const limit_facts& l : limits) e.sample(l.get(shared.settings), {"limit", l.flag});
  e.family("pubsubsql_limit_refusals_total", type::counter, "How often a limit was met, by flag");
  for (std::size_t i = 0; i < limits.size(); ++i) {
    e.sample(shared.counters.refusals(i), {"limit", limits[i].flag});
  }
  e.gauge("pubsubsql_memory_exceeded", "1 while statements are refused because of --max-memory, else 0",
          std::uint64_t{shared.memory.exceeded() > 0 ? 1U : 0U});
}

/// The largest by name, and behind them one for all others.
std::vector<table_numbers> sum_up_others(std::vector<table_numbers> tables) {
  std::ranges::sort(tables, [](const table_numbers& a, const table_numbers& b) {
    return std::pair(b.row_bytes, std::string_view(a.name)) < std::pair(a.row_bytes, std::string_view(b.name));
  });
  std::vector<table_numbers> named;
  table_numbers others{.name = std::string(others_label)};
  bool has_others = false;
  for (table_numbers& t : tables) {
    if (named.size() < tables_named_max && t.name != others_label) {
      named.push_back(std::move(t));
      continue;
    }
    has_others = true;
    others.rows += t.rows;
    others.row_bytes += t.row_bytes;
    others.subscriptions += t.subscriptions;
  }
  if (has_others) named.push_back(std::move(others));
  return named;
}

void write_tables(exposition& e, server_sample& all) {
  std::vector<table_numbers> tables;
  for (worker_sample& w : all.workers) std::ranges::move(w.tables, std::back_inserter(tables));
  e.gauge("pubsubsql_tables", "Tables", std::uint64_t{tables.size()});
  tables = sum_up_others(std::move(tables));
  e.family("pubsubsql_table_rows", type::gauge, "Rows of a table; the largest tables by name, the rest as (others)");
  for (const table_numbers& t : tables) e.sample(t.rows, {"table", t.name});
  e.family("pubsubsql_table_bytes", type::gauge, "Memory that the rows of a table are in, without indexes");
  for (const table_numbers& t : tables) e.sample(t.row_bytes, {"table", t.name});
  e.family("pubsubsql_table_subscriptions", type::gauge, "Subscriptions to a table");
  for (const table_numbers& t : tables) e.sample(t.subscriptions, {"table", t.name});
}

/// Queues by name, as many as tables are shown of.
void write_queues(exposition& e, const server_sample& all) {
  std::vector<const table_numbers*> queues;
  for (const worker_sample& w : all.workers) {
    for (const table_numbers& t : w.tables) {
      if (t.queue) queues.push_back(&t);
    }
  }
  std::ranges::sort(queues, {}, &table_numbers::name);
  if (queues.size() > tables_named_max) queues.resize(tables_named_max);
  const auto write = [&](std::string_view name, type kind, std::string_view help, auto&& value) {
    e.family(name, kind, help);
    for (const table_numbers* t : queues) e.sample(value(*t), {"queue", t->name});
  };
  using numbers = const table_numbers&;
  write("pubsubsql_queue_rows", type::gauge, "Rows of a queue, whatever they wait for",
        [](numbers t) { return t.rows; });
  write("pubsubsql_queue_ready", type::gauge, "Rows that may be popped", [](numbers t) { return t.queue->ready; });
  write("pubsubsql_queue_in_flight", type::gauge, "Rows that are leased", [](numbers t) { return t.queue->in_flight; });
  write("pubsubsql_queue_delayed", type::gauge, "Rows whose delay is not over",
        [](numbers t) { return t.queue->delayed; });
  write("pubsubsql_queue_waiting_pops", type::gauge, "Pops that wait for rows",
        [](numbers t) { return t.queue->waiting; });
  write("pubsubsql_queue_oldest_seconds", type::gauge, "How long the oldest row might have been popped",
        [](numbers t) { return static_cast<double>(t.queue->oldest_us) / 1e6; });
  write("pubsubsql_queue_pushed_total", type::counter, "Rows that have come into a queue",
        [](numbers t) { return t.queue->counts.pushed; });
  write("pubsubsql_queue_popped_total", type::counter, "Leases of its rows",
        [](numbers t) { return t.queue->counts.popped; });
  write("pubsubsql_queue_acked_total", type::counter, "Rows that were acknowledged",
        [](numbers t) { return t.queue->counts.acked; });
  write("pubsubsql_queue_returned_total", type::counter, "Leases that ended without an acknowledgement",
        [](numbers t) { return t.queue->counts.returned; });
  write("pubsubsql_queue_dead_total", type::counter, "Rows that had all their attempts",
        [](numbers t) { return t.queue->counts.dead; });
}

void write_stores(exposition& e, const shared_state& shared) {
  const store_numbers n = shared.stores == nullptr ? store_numbers{} : shared.stores->numbers();
  const auto of_each = [&](auto mysql, auto sqlite) {
    if (n.mysql) e.sample(mysql, {"store", "mysql"});
    if (n.sqlite) e.sample(sqlite, {"store", "sqlite"});
  };
  const auto mysql = n.mysql.value_or(storage::durable::mysql_lane::status{});
  const auto sqlite = n.sqlite.value_or(storage::durable::sqlite_store::status{});
  e.gauge("pubsubsql_store_queued_bytes", "Bytes of changes on their way to the stores",
          std::uint64_t{shared.store.queued_bytes()});
  e.family("pubsubsql_store_lag_rows", type::gauge, "Changes that a store has not got yet, those journalled included");
  of_each(n.mysql_lag_rows(), std::uint64_t{sqlite.waiting_changes});
  e.family("pubsubsql_store_lag_seconds", type::gauge, "How long the oldest of them has been waiting");
  of_each(to_seconds(mysql.lag), to_seconds(sqlite.lag));
  e.family("pubsubsql_store_commits_total", type::counter, "Transactions that a store has committed");
  of_each(mysql.transactions, sqlite.commits);
  e.family("pubsubsql_store_errors_total", type::counter,
           "Times that a connection to MySQL was lost, and transactions that SQLite could not write");
  of_each(mysql.outages, sqlite.errors);
  e.family("pubsubsql_store_refused_total", type::counter,
           "Changes that MySQL refused after they had been acknowledged, so that it differs from memory");
  if (n.mysql) e.sample(mysql.refused, {"store", "mysql"});
  e.family("pubsubsql_store_journal_entries", type::gauge, "Statements in the journal that MySQL has still to get");
  if (n.mysql && n.sqlite) e.sample(sqlite.journalled);
  e.family("pubsubsql_mysql_online", type::gauge, "1 while MySQL takes changes, 0 while it is away");
  if (n.mysql) e.sample(std::uint64_t{mysql.online ? 1U : 0U});
}

void write_workers(exposition& e, const server_sample& all) {
  const auto write = [&](std::string_view name, std::string_view help, auto&& value) {
    e.family(name, type::counter, help);
    for (std::size_t i = 0; i < all.workers.size(); ++i) {
      e.sample(value(all.workers[i]), {"worker", std::to_string(i)});
    }
  };
  write("pubsubsql_worker_busy_seconds_total", "Processor time of a worker, but for looking for work in vain",
        [](const worker_sample& w) { return w.busy_seconds; });
  write("pubsubsql_worker_statements_total", "Statements taken of a worker's connections", [](const worker_sample& w) {
    std::uint64_t sum = 0;
    for (const std::uint64_t of_verb : w.counters.statements) sum += of_verb;
    return sum;
  });
  write("pubsubsql_worker_forwarded_statements_total", "Of those, the ones that another worker's table was asked for",
        [](const worker_sample& w) { return w.counters.forwarded; });
}

void write_process(exposition& e) {
  const process_usage p = read_process_usage();
  e.gauge("process_resident_memory_bytes", "Memory of the process that is in the machine's memory", p.resident_bytes);
  e.gauge("process_virtual_memory_bytes", "Addresses that the process has", p.virtual_bytes);
  e.counter("process_cpu_seconds_total", "Processor time of all threads, in the kernel and outside", p.cpu_seconds);
  e.gauge("process_open_fds", "Open files and connections", p.open_files);
  e.gauge("process_max_fds", "Open files and connections that there may be", p.open_files_max);
  e.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970-01-01 00:00 UTC",
          p.started_at_seconds);
  e.family("pubsubsql_build_info", type::gauge, "1; the version is in the label");
  e.sample(std::uint64_t{1}, {"version", version});
}

}  // namespace

std::string metrics_text(server_sample& all, shared_state& shared) {
  worker_counters counters;
  slow_counts slow;
  open_connections open;
  for (const worker_sample& w : all.workers) {
    counters += w.counters;
    slow += w.slow;
    open += w.connections;
  }
  std::string out;
  exposition e(out);
  write_statements(e, counters);
  write_events(e, counters, slow, shared);
  write_connections(e, counters, open);
  write_queues(e, all);
  write_tables(e, all);
  write_stores(e, shared);
  write_limits(e, shared);
  write_workers(e, all);
  write_process(e);
  return out;
}

}  // namespace pubsubsql::server
