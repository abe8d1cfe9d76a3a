#pragma once

#include <chrono>
#include <cstdint>

#include <boost/asio/steady_timer.hpp>

#include "server/server_sample.hpp"

namespace pubsubsql::server {

class worker;

/// Adds a point to the server's history at each of its intervals. One worker has it; used by its thread only.
class history_sampler {
 public:
  /// The worker outlives this.
  explicit history_sampler(worker& w);

  /// Begins. Ends with the worker's loop.
  void start();

 private:
  using clock = std::chrono::steady_clock;

  void await_next();
  void add(const server_sample& all);

  worker& worker_;
  boost::asio::steady_timer timer_;
  clock::time_point due_;
  // The point before
  clock::time_point taken_;
  std::uint64_t statements_ = 0;
  std::uint64_t deliveries_ = 0;
};

}  // namespace pubsubsql::server
