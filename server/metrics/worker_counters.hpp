#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/metrics/duration_histogram.hpp"
#include "server/metrics/verbs.hpp"

namespace pubsubsql::server {

/// The actions of events: those of storage::event_action, by number.
inline constexpr std::size_t event_actions = 6;

/// What a worker counts from the start of the server on. Plain numbers: only the worker's thread touches them, so
/// counting takes neither a lock nor an atomic operation; others are given copies.
struct worker_counters {
  // Statements of the worker's sessions
  std::array<std::uint64_t, verb_count> statements{};
  std::array<std::uint64_t, verb_count> errors{};  ///< those answered by an error
  duration_histogram statement_durations;          ///< from taken to answered
  std::uint64_t slow_statements = 0;
  std::uint64_t forwarded = 0;  ///< to the workers of their tables

  // At the worker's tables
  duration_histogram commit_durations;                ///< how long what was held waited for a store
  std::array<std::uint64_t, event_actions> events{};  ///< rows, once for each group of like subscriptions
  std::uint64_t resumed = 0;                          ///< subscriptions that went on at a position
  std::uint64_t resynced = 0;                         ///< those that asked for that and had to begin anew

  // Connections of the worker
  std::uint64_t deliveries = 0;  ///< rows of events, once for each subscription
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections = 0;

  worker_counters& operator+=(const worker_counters& other) {
    for (std::size_t v = 0; v < verb_count; ++v) {
      statements[v] += other.statements[v];
      errors[v] += other.errors[v];
    }
    for (std::size_t a = 0; a < event_actions; ++a) events[a] += other.events[a];
    statement_durations += other.statement_durations;
    commit_durations += other.commit_durations;
    slow_statements += other.slow_statements;
    forwarded += other.forwarded;
    resumed += other.resumed;
    resynced += other.resynced;
    deliveries += other.deliveries;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
    connections += other.connections;
    return *this;
  }
};

}  // namespace pubsubsql::server
