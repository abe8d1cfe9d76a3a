#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/metrics/worker_counters.hpp"
#include "server/slow_subscriptions.hpp"
#include "storage/queue_index.hpp"

namespace pubsubsql::storage {
class table;
}

/// What workers tell of themselves, as copies that anybody may keep.
namespace pubsubsql::server {

/// How a connection talks.
enum class protocol : std::uint8_t {
  silent,  ///< nothing has come yet that would tell
  framed,
  text,
  websocket,
  events,  ///< a stream of events over HTTP
  http     ///< requests and answers
};
inline constexpr std::array<std::string_view, 6> protocol_names = {"silent",    "framed", "text",
                                                                   "websocket", "events", "http"};
[[nodiscard]] constexpr std::string_view name_of_protocol(protocol p) {
  return protocol_names[static_cast<std::size_t>(p)];
}

/// The connections of a worker at the moment.
struct open_connections {
  std::array<std::uint64_t, protocol_names.size()> by_protocol{};
  std::uint64_t tls = 0;  ///< of all those

  void add(protocol p, bool is_encrypted) {
    ++by_protocol[static_cast<std::size_t>(p)];
    if (is_encrypted) ++tls;
  }

  open_connections& operator+=(const open_connections& other) {
    for (std::size_t i = 0; i < by_protocol.size(); ++i) by_protocol[i] += other.by_protocol[i];
    tls += other.tls;
    return *this;
  }
};

/// A queue in numbers.
struct queue_numbers {
  std::uint64_t ready = 0;
  std::uint64_t in_flight = 0;  ///< leased
  std::uint64_t delayed = 0;
  std::uint64_t waiting = 0;    ///< pops that wait for rows
  std::uint64_t oldest_us = 0;  ///< how long its first row might have been popped; 0: it has none
  storage::queue_counts counts = {};
};

/// Nothing: the table is no queue. `now_us`: microseconds since 1970.
[[nodiscard]] std::optional<queue_numbers> queue_numbers_of(const storage::table& t, std::int64_t now_us);

/// A table in numbers.
struct table_numbers {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t row_bytes = 0;  ///< memory that the rows are in, without indexes
  std::uint64_t columns = 0;
  std::uint64_t subscriptions = 0;
  std::optional<queue_numbers> queue = {};
};

/// One worker.
struct worker_sample {
  worker_counters counters;
  slow_counts slow;
  open_connections connections;
  double busy_seconds = 0;            ///< processor time of its thread, but for what it spent looking for work in vain
  std::vector<table_numbers> tables;  ///< empty, unless asked for
};

/// All workers, each as of a moment of its own, by number.
struct server_sample {
  std::vector<worker_sample> workers;
};

}  // namespace pubsubsql::server
