#include "tools/bench/fan_out.hpp"

#include <algorithm>
#include <optional>

namespace bench {

namespace {

constexpr std::size_t rows = 1'000;
/// With more under way, a server works for longer than a measurement takes before anyone gets anything.
constexpr std::size_t events_ahead_max = 1'000'000;
constexpr double goal_of_null = 0.8;
constexpr double goal_of_redis = 3;
constexpr double goal_of_nats = 5;
constexpr double goal_of_null_latency = 0.8;

}  // namespace

void fan_out::add_options(CLI::App& to) {
  pubsub_workload::add_options(to);
  to.add_option("--subscribers", subscribers_, "Numbers of subscribers, one measurement for each")
      ->capture_default_str()
      ->delimiter(',')
      ->check(CLI::Range(1, 15'000));
  to.add_option("--rate", rate_, "Publishes per second, at times fixed beforehand; 0: as many as the window allows")
      ->capture_default_str();
}

void fan_out::run(report& out) {
  std::vector<named_setup> setups;
  for (const std::size_t subscribers : subscribers_) {
    pubsub_setup s = common_setup();
    s.subscribers = subscribers;
    s.window = std::clamp<std::size_t>(events_ahead_max / subscribers, 1, s.window);
    s.keys = rows;
    s.rate = rate_;
    setups.push_back({"fan-out to " + std::to_string(subscribers), s});
  }
  measure_all(out, setups);
  for (const named_setup& s : setups) {
    const std::string mine = rate_name(s.name, ours);
    for (const target& t : targets()) {
      if (t.name == ours) continue;
      const std::string peer = rate_name(s.name, t.name);
      const std::string what = s.name + ", of " + t.name;
      if (rate_ > 0) {
        const std::optional<double> goal = t.name == null ? std::optional(goal_of_null_latency) : std::nullopt;
        out.compare_latency(what + ", p50", mine, peer, 0.5, std::nullopt);
        out.compare_latency(what + ", p99", mine, peer, 0.99, goal);
      } else {
        out.compare(what, mine, peer,
                    t.name == null               ? goal_of_null
                    : t.speaks == protocol::nats ? goal_of_nats
                                                 : goal_of_redis);
      }
    }
  }
}

}  // namespace bench
