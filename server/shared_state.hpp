#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "server/binding_directory.hpp"
#include "server/connection_origins.hpp"
#include "server/event_quota.hpp"
#include "server/limit_counters.hpp"
#include "server/memory_watch.hpp"
#include "server/metrics/history.hpp"
#include "server/metrics/slow_statement_log.hpp"
#include "server/options.hpp"
#include "server/table_directory.hpp"
#include "server/table_locks.hpp"
#include "server/tls_certificates.hpp"
#include "storage/durable/store_switch.hpp"

namespace pubsubsql::server {

class access_control;
class durable_stores;
class mysql_service;
class worker;

/// How far the server is.
enum class server_phase : std::uint8_t { loading, serving, stopping };

/// The little that all workers share. Set up before the first worker runs, and outlives the last.
struct shared_state {
  shared_state(const options& o, storage::durable::store_switch& s, unsigned worker_count)
      : settings(o),
        store(s),
        tables(worker_count, o.tables_max),
        tls(o.tls),
        memory(o.memory_bytes_max),
        started(std::chrono::steady_clock::now()) {}

  const options& settings;
  /// Where changes go; while it has no store, tables live in memory only.
  storage::durable::store_switch& store;
  table_directory tables;
  table_locks locks;
  binding_directory bindings;
  tls_certificates tls;
  memory_watch memory;
  limit_counters counters;
  history past;
  slow_statement_log slow_statements;
  connection_origins origins;
  std::chrono::steady_clock::time_point started;

  /// What answers `mysql ...`. Set before workers run.
  mysql_service* mysql = nullptr;

  /// The stores behind `store`; nullptr: there are none that could be asked. Set before workers run.
  const durable_stores* stores = nullptr;

  /// The users; nullptr: there are none, and everybody may do everything. Set before workers run.
  access_control* access = nullptr;

  /// Every worker, by number. Not changed while workers run.
  std::vector<worker*> workers;

  /// Asks for an orderly stop; callable from any thread.
  std::function<void()> request_stop;
  /// Called by a worker's thread whenever a connection has ended.
  std::function<void()> connection_ended;

  /// When changes of tables that do not say otherwise are acknowledged.
  [[nodiscard]] parser::ack_mode default_ack() const {
    if (settings.ack) return *settings.ack;
    return store.has_store() ? parser::ack_mode::committed : parser::ack_mode::memory;
  }

  /// Of events that are kept for subscribers before they reach their connections, by one worker.
  [[nodiscard]] event_quota quota_of_worker() const {
    const std::size_t total_max = settings.backlog_total_bytes_max;
    const std::size_t part = total_max / std::max<std::size_t>(workers.size(), 1);
    return {total_max == 0 ? 0 : std::max(part, settings.backlog_bytes_max), settings.backlog_bytes_max};
  }

  /// Whether so much waits to be stored that statements have to slow down.
  [[nodiscard]] bool store_is_full() const { return store.queued_bytes() > settings.store_queue_bytes_max; }

  /// Bytes of changes that tables keep for subscribers that come back, as of the end of each worker's turn.
  std::atomic<std::int64_t> history_bytes{0};
  std::atomic<server_phase> phase{server_phase::loading};
  std::atomic<std::uint64_t> next_pubsubid{1};
  /// Connections that are served, those turned away not among them.
  std::atomic<std::size_t> connections{0};
  /// Bytes of events that wait for connections, as workers have told at the ends of their turns.
  std::atomic<std::int64_t> backlog_bytes{0};
  /// Bytes of replies that wait for connections, likewise; and of those on their way by HTTP.
  std::atomic<std::int64_t> reply_bytes{0};
  std::atomic<std::size_t> http_reply_bytes{0};
  /// Subscriptions of all of them, those asked for among them.
  std::atomic<std::uint64_t> subscriptions{0};
};

}  // namespace pubsubsql::server
