#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tools/bench/latency_histogram.hpp"
#include "tools/bench/pubsub_wire.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/slowest_subscriber.hpp"

namespace bench {

/// Who publishes what to whom.
struct pubsub_setup {
  std::size_t publishers = 1;
  std::size_t subscribers = 1;
  std::size_t keys = 1;  ///< they are published for in turn
  /// Each subscriber has a key of its own, and there are as many; otherwise everyone gets everything.
  bool by_key = false;
  /// Subscriptions to keys that nothing is published for, on a few connections of their own.
  std::size_t other_subscriptions = 0;
  /// Publishes that may be ahead of the slowest subscriber (with keys: of all subscribers together); for no rate.
  std::size_t window = 1'000;
  /// Publishes per second at times that are fixed beforehand; 0: as many as the window allows.
  double rate = 0;
  std::chrono::nanoseconds warm_up{std::chrono::milliseconds(300)};
  std::chrono::nanoseconds duration{std::chrono::seconds(2)};
  /// Every number of every subscriber is looked at, too.
  bool checks = false;
};

/// What came out of the time after the warm-up.
struct pubsub_result {
  double publishes_per_second = 0;
  double events_per_second = 0;  ///< that subscribers have got
  processor_use processors;
  /// From the time an event was to be published until a subscriber had it; with a rate.
  latency_histogram latency;
};

/// One measurement: connects everyone, publishes, and reads, all in one thread with nothing between the system and it,
/// so that on two cores a server of one thread has one for itself. Ends when every subscriber has got everything, and
/// throws std::runtime_error when that does not happen. With a rate it never sleeps: it publishes on time and reads at
/// once, so what it uses of its processor says nothing then.
class pubsub_run {
 public:
  using clock = std::chrono::steady_clock;

  /// Connects and subscribes. The wire must outlive it. Without a process, nothing is said about what the server uses.
  pubsub_run(const pubsub_setup& setup, pubsub_wire& wire, std::uint16_t port, std::optional<pid_t> server);
  ~pubsub_run();

  [[nodiscard]] pubsub_result measure();

 private:
  struct connection;
  struct totals;

  connection& connect(std::uint16_t port);
  void subscribe_all(std::uint16_t port);
  void subscribe_others(std::uint16_t port);
  void wait_for_confirmations(std::size_t confirmations);

  /// Waits for input at most so long, and reads what there is.
  void turn(int timeout_ms);
  void receive(connection& c);
  void on_subscriber(connection& c, std::uint64_t before);
  void take_numbers(connection& c);
  void flush(connection& c);

  void publish_ahead();
  void publish_due();
  void publish(std::size_t publisher);
  [[nodiscard]] clock::time_point due(std::uint64_t number) const;

  /// Publishes and reads until then.
  void run_until(clock::time_point end);
  void drain();
  [[nodiscard]] std::uint64_t expected_of(std::size_t subscriber) const;
  [[nodiscard]] totals now() const;

  const pubsub_setup setup_;
  pubsub_wire& wire_;
  const std::optional<pid_t> server_;
  int epoll_ = -1;
  std::vector<char> input_;
  std::vector<std::unique_ptr<connection>> connections_;  // the subscribers first
  std::size_t publishers_at_ = 0;                         // the index of the first
  slowest_subscriber slowest_;

  bool publishing_ = false;
  std::uint64_t published_ = 0;
  std::uint64_t delivered_ = 0;
  clock::time_point began_;
  clock::time_point measured_from_;
  latency_histogram latency_;
};

}  // namespace bench
