#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "tools/bench/dialect.hpp"
#include "tools/bench/latency_histogram.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/request_source.hpp"

namespace bench {

/// What came of a load.
struct load_result {
  double per_second = 0;
  latency_histogram latency;  ///< from sending a request to having read its last reply
  processor_use processor;
};

/// Connections on which requests go out as replies come in: on each so many are always under way. One thread that costs
/// as little as it can, so that the server is what is measured: all requests that have become possible with a read go
/// out in one send, and nothing is allocated once it runs. Everything throws std::runtime_error, also when the server
/// answers with an error or not at all.
class load_generator {
 public:
  /// Connects, greets and prepares. The dialect and the source stay the caller's.
  load_generator(const dialect& speech, std::uint16_t port, unsigned connections, unsigned depth,
                 request_source& source);
  ~load_generator();
  load_generator(const load_generator&) = delete;
  load_generator& operator=(const load_generator&) = delete;

  /// Sends so many requests and waits for all replies.
  void run(std::uint64_t requests);
  /// Keeps up the load for both durations, measures during the second, and waits for the last replies. `server`: whose
  /// use of the processor is told.
  [[nodiscard]] load_result measure(std::chrono::nanoseconds warm_up, std::chrono::nanoseconds duration,
                                    std::optional<pid_t> server);

 private:
  struct connection;

  void start(std::uint64_t requests);
  void finish();
  /// Waits for readiness and serves what is ready.
  void turn();
  void receive(connection& c);
  void count_replies(connection& c, std::size_t replies);
  /// Makes all requests that are possible now and sends them.
  void refill(connection& c);
  void flush(connection& c);
  void watch(connection& c, bool to_write) const;
  void serve_until(std::uint64_t deadline);

  const dialect& speech_;
  request_source& source_;
  unsigned depth_;
  int epoll_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::uint64_t unsent_requests_ = 0;  // that are still to be made
  std::uint64_t under_way_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t now_ = 0;
  latency_histogram latency_;
};

}  // namespace bench
