#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "server/options.hpp"
#include "server/table_directory.hpp"

namespace pubsubsql::server {

class worker;

/// The little that all workers share. Set up before the first worker runs, and outlives the last.
struct shared_state {
  shared_state(const options& o, unsigned worker_count)
      : settings(o), tables(worker_count, o.tables_max), started(std::chrono::steady_clock::now()) {}

  const options& settings;
  table_directory tables;
  std::chrono::steady_clock::time_point started;

  /// Every worker, by number. Not changed while workers run.
  std::vector<worker*> workers;

  /// Asks for an orderly stop; callable from any thread.
  std::function<void()> request_stop;
  /// Called by a worker's thread whenever a connection has ended.
  std::function<void()> connection_ended;

  std::atomic<std::uint64_t> next_pubsubid{1};
  /// Connections that are served, those turned away not among them.
  std::atomic<std::size_t> connections{0};
};

}  // namespace pubsubsql::server
