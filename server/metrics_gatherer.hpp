#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "server/server_sample.hpp"
#include "server/worker_message.hpp"

namespace pubsubsql::server {

class worker;

/// Asks every worker what it has counted, and brings that together. One for each worker; used by its thread only.
class metrics_gatherer {
 public:
  using receiver = std::function<void(server_sample& all)>;

  /// The worker outlives this.
  explicit metrics_gatherer(worker& w) : worker_(w) {}

  /// Calls `done` when all have answered: at once where there is one worker only. `with_tables`: also their tables.
  void gather(bool with_tables, receiver done);

  // Messages

  void on(const list_metrics& m);
  void on(metrics_listed& m);

 private:
  struct gathering {
    std::size_t missing = 0;
    server_sample all;
    receiver done;
  };

  [[nodiscard]] worker_sample sample_here(bool with_tables);

  worker& worker_;
  absl::flat_hash_map<std::uint64_t, gathering> gatherings_;
  std::uint64_t last_ = 0;
};

/// What Prometheus reads of the whole server, in its text format, version 0.0.4. To be called by the worker's thread,
/// which also calls `done`, perhaps before this returns.
void gather_metrics(worker& w, std::function<void(std::string text)> done);

/// The last hour of the whole server as JSON, see history::to_json(). Likewise.
void gather_history(worker& w, const std::function<void(std::string json)>& done);

}  // namespace pubsubsql::server
