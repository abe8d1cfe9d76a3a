#include "tools/bench/delivery_latency.hpp"

#include <optional>

namespace bench {

namespace {

constexpr std::size_t rows = 1'000;
constexpr double goal_of_null = 0.9;

}  // namespace

void delivery_latency::add_options(CLI::App& to) {
  pubsub_workload::add_options(to);
  to.add_option("--rates", rates_, "Publishes per second, one measurement for each")
      ->capture_default_str()
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  to.add_option("--subscribers", subscribers_, "Subscribers")->capture_default_str()->check(CLI::Range(1, 15'000));
}

void delivery_latency::run(report& out) {
  std::vector<named_setup> setups;
  for (const unsigned rate : rates_) {
    pubsub_setup s = common_setup();
    s.subscribers = subscribers_;
    s.keys = rows;
    s.rate = rate;
    setups.push_back({"latency at " + std::to_string(rate), s});
  }
  measure_all(out, setups);
  for (const named_setup& s : setups) {
    for (const target& t : targets()) {
      if (t.name == ours) continue;
      const std::string mine = rate_name(s.name, ours);
      const std::string peer = rate_name(s.name, t.name);
      const auto goal = t.name == null ? std::optional(goal_of_null) : std::nullopt;
      out.compare_latency(s.name + ", of " + t.name + ", p50", mine, peer, 0.5, goal);
      out.compare_latency(s.name + ", of " + t.name + ", p99", mine, peer, 0.99, goal);
    }
  }
}

}  // namespace bench
